"""Which precomputed tables of features, channels and maps there are for a network as it is today."""

from __future__ import annotations

from dataclasses import dataclass

from uap_core.io.results import Table
from uap_core.ui.state import Studio


@dataclass(frozen=True)
class FeltTables:
    """Of a ``network`` under the ``pattern`` with this key: its plane, and its channels where it has feature maps."""

    network: str
    pattern: str
    plane: Table
    channels: Table | None


def felt_tables(studio: Studio, network: str) -> FeltTables | None:
    """The tables of a network under its own pattern; None where there are none of its present weights."""
    from uap_core.experiments.feature_channels import ChannelRow
    from uap_core.experiments.feature_plane import PlaneRow

    plane = _right(studio, network, "plane", PlaneRow)
    if plane is None:
        return None
    return FeltTables(network, plane.provenance["pattern_file"], plane, _right(studio, network, "channels", ChannelRow))


def first_maps(studio: Studio, network: str, photo: str, pattern: str) -> Table | None:
    """The maps of ``photo`` under ``pattern`` at its own strength; None where others, or nothing, were computed."""
    from uap_core.experiments.class_map_rows import MapRow

    table = _right(studio, network, "maps", MapRow)
    known = table is not None and (f"sample:{table.provenance['photo']}", table.provenance["pattern_file"]) == (photo, pattern)
    return table if known else None


def _right(studio: Studio, network: str, name: str, row_type: type) -> Table | None:
    found: Table | None = studio.precomputed(f"{network}-feels-{name}", row_type)
    if found is None or not found.rows or not studio.card(network).is_weights(found.provenance["weights_sha256"]):
        return None
    return found
