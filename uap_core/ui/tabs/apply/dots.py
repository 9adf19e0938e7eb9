"""One dot for each held-out photograph, which changes as the strength does: precomputed, and drawn by static/dots.js."""

from __future__ import annotations

import json

from uap_core.experiments.outcomes import CLEAN, NOISE, PATTERN, OutcomeRow
from uap_core.i18n import _
from uap_core.io.results import Table
from uap_core.perturbations.library import Entry, library
from uap_core.ui.html.template import rendered
from uap_core.ui.selection import largest_level
from uap_core.ui.state import Studio


def dots_place() -> str:
    """Where the dots are drawn; hidden until some are known of what is chosen."""
    legend = [
        ("right", _("right")),
        ("right on", _("was right, is fooled now")),
        ("wrong", _("wrong, with the pattern or without")),
        ("wrong on", _("was wrong, says something else now")),
    ]
    fields = [("pattern", _("the pattern")), ("noise", _("random noise"))]
    unknown = _(
        "How many of 300 photographs give way is not computed for this choice: it is for each network’s own"
        " pattern of strength 10 of 255."
    )
    return rendered("dots", fields=fields, legend=legend, unknown=unknown)


def dots_of(studio: Studio, network: str, pattern: str) -> str:
    """Precomputed outcomes of a pattern on a network as JSON for the script; empty where nobody has computed them."""
    found = outcome_table(studio, network, pattern)
    return _as_json(*found) if found else ""


def outcome_table(studio: Studio, network: str, pattern: str) -> tuple[Table, Entry] | None:
    """The precomputed outcomes of a ready-made pattern on the network that it was made for, where they hold."""
    entry = next((entry for entry in library() if entry.key == pattern), None)
    if entry is None or entry.networks != (network,):
        return None
    table = studio.precomputed(f"{entry.path.stem}-outcomes", OutcomeRow)
    return (table, entry) if table is not None and _holds(table, studio, network, entry) else None


def _as_json(table: Table, entry: Entry) -> str:
    count = int(table.provenance["images"])
    what = _(
        "Each mark is one of {count} photographs that the pattern was not made from: filled where the network’s answer changes"
        " at the strength of the slider."
    )
    return json.dumps(
        {
            "title": _("The same pattern on {count} photographs").format(count=count),
            "what": what.format(count=count),
            "count": count,
            "top": largest_level(entry.ball),
            "clean": next(row.bits for row in table.rows if row.attack == CLEAN),
            "pattern": [row.bits for row in table.rows if row.attack == PATTERN],
            "noise": [row.bits for row in table.rows if row.attack == NOISE],
        }
    )


def _holds(table: Table, studio: Studio, network: str, entry: Entry) -> bool:
    """Whether it was computed of these weights and of the pattern as it is now."""
    stated = table.provenance
    return studio.card(network).is_weights(stated["weights_sha256"]) and stated["pattern"] == entry.provenance
