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
        ("right", _("the answer is right")),
        ("right on", _("it was right, and is another now")),
        ("wrong", _("it was wrong without the pattern, too")),
        ("wrong on", _("it was wrong before, and is another now")),
    ]
    fields = [("pattern", _("the pattern")), ("noise", _("random noise"))]
    return rendered("dots", fields=fields, legend=legend)


def dots_of(studio: Studio, network: str, pattern: str) -> str:
    """Precomputed outcomes of a pattern on a network as JSON for the script; empty where nobody has computed them."""
    entry = next((entry for entry in library() if entry.key == pattern), None)
    return _dots_of(studio, network, entry) if entry and entry.networks == (network,) else ""


def _dots_of(studio: Studio, network: str, entry: Entry) -> str:
    table = studio.precomputed(f"{entry.path.stem}-outcomes", OutcomeRow)
    if table is None or not _holds(table, studio, network, entry):
        return ""
    count = int(table.provenance["images"])
    what = _(
        "Each dot is one of {count} photographs that the pattern was not made from: filled where the network’s answer changes"
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
