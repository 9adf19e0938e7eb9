"""A class activation map as a row of a table; read without torch."""

from __future__ import annotations

from dataclasses import dataclass

EXACT, BY_GRADIENT = "exact", "gradient"


@dataclass(frozen=True)
class MapRow:
    """The map of the class ``label``, ``probability`` sure, of a picture ``clean`` or under the ``pattern`` (``of``).

    ``values`` are ``height`` lines of the map, the upper one first. ``kind``: "exact" where they add up to the logit (less the
    bias where the network ends with means), "gradient" for Grad-CAM.
    """

    of: str
    label: str
    probability: float
    kind: str
    height: int
    values: list[float]
