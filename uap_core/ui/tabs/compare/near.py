"""Whether another label is a near miss: the class beside the one before, under the same parent in WordNet."""

from __future__ import annotations

from uap_core.models.imagenet import imagenet_classes, parents
from uap_core.ui.state import Studio


def near_misses(studio: Studio, network: str, before: str) -> set[str]:
    """The labels of a network that are of the same kind as ``before``; none where that is not known."""
    classes = studio.card(network).classes
    tables = imagenet_classes()
    named = [(entry["name"], entry["wnid"]) for entry in classes] if isinstance(classes, list) else zip(*tables, strict=True)
    ids = dict(named)
    above = parents()
    kind = above.get(ids.get(before, ""))
    return {name for name, wnid in ids.items() if kind and name != before and above.get(wnid) == kind}
