"""The figures of Szegedy et al. (ICLR 2014, Tables 1 and 4): by the network that examples were made on, a share a column.

They are errors on MNIST, those of clean pictures included; the last number is the average distortion.
"""

from __future__ import annotations

from uap_core.experiments.small_networks.crossing import GAUSSIAN

Place = tuple[str, float | None]

SIX: dict[Place, tuple[float, ...]] = {
    ("fc10-weak", None): (1.0, 0.117, 0.227, 0.02, 0.039, 0.027, 0.062),
    ("fc10-middle", None): (0.871, 1.0, 0.352, 0.359, 0.273, 0.098, 0.1),
    ("fc10-strong", None): (0.719, 0.762, 1.0, 0.481, 0.47, 0.344, 0.14),
    ("fc100", None): (0.289, 0.137, 0.211, 1.0, 0.066, 0.02, 0.058),
    ("fc200", None): (0.382, 0.14, 0.238, 0.203, 1.0, 0.027, 0.065),
    ("ae400", None): (0.234, 0.16, 0.248, 0.094, 0.066, 1.0, 0.086),
    (GAUSSIAN, 0.1): (0.05, 0.101, 0.183, 0.0, 0.0, 0.008, 0.1),
    (GAUSSIAN, 0.3): (0.156, 0.113, 0.227, 0.05, 0.043, 0.031, 0.3),
}
HALVES: dict[Place, tuple[float, ...]] = {
    ("fc100-p1", None): (1.0, 0.262, 0.059, 0.062),
    ("fc123-p1", None): (0.0625, 1.0, 0.051, 0.059),
    ("fc100-p2", None): (0.082, 0.082, 1.0, 0.058),
    (GAUSSIAN, 0.06): (0.022, 0.026, 0.024, 0.06),
}
