"""The names of rows, for people to read: tables and files keep them in English, so that these never depend on the language."""

from __future__ import annotations

import re

from uap_core.texts import N_, _

# Names that carry a number or another name within them; all others are marked where they are defined.
FORMS = (
    N_("random signs, as large as by {attack}"),
    N_("Gaussian noise, as large as by {attack}"),
    N_("random signs, {ball}"),
    N_("Gaussian noise, stddev {size}"),
    N_("{attack}, made on {network}"),
    N_("{learner}, half {number}"),
    N_("blur {sigma}"),
    N_("{number} bits"),
    N_("crop {share}"),
    N_("“{label}”, the runner-up"),
    N_("{searches} x {count} iterations"),
    N_("{count} queries"),
    N_("{count} steps"),
    N_("No bound is known for the operation {operation}."),
    N_("No bound is known: {operation} takes two things that depend on the picture."),
    N_("DeepFool, batches of {count}, gain {gain}"),
)


def row_name(name: str) -> str:
    """What to show for the English ``name`` of a row; names of networks and patterns stay as they are."""
    for form in FORMS:
        found = re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(form)), name)
        if found:
            # A network may be one that was trained for a table, with a name of this kind.
            inner = {place: row_name(text) if place == "network" else text for place, text in found.groupdict().items()}
            return _(form).format(**inner)
    return _(name) if name else ""  # what gettext has for nothing is a catalogue's header
