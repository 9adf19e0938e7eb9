"""Groups of ImageNet's classes under one WordNet parent, such as all cats, for networks that know some. Without torch."""

from __future__ import annotations

from collections.abc import Sequence

from uap_core.models.imagenet import imagenet_classes

# The key of a group: the WordNet id of what all of it are, and first and last index of its runs among ImageNet's classes.
GROUPS: dict[str, tuple[str, tuple[tuple[int, int], ...]]] = {
    "cats": ("n02120997", ((281, 293),)),  # feline: house cats and big ones
    "dogs": ("n02084071", ((151, 268),)),
    "primates": ("n02469914", ((365, 384),)),
    "birds": ("n01503061", ((7, 24), (80, 100), (127, 146))),
    "insects": ("n02159955", ((300, 326),)),
    "arachnids": ("n01769347", ((70, 78),)),
    "snakes": ("n01726692", ((52, 68),)),
    "fishes": ("n02512053", ((0, 6), (389, 397))),
}


def groups_of(class_ids: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The class indices of each group of which a network with these ``class_ids`` (WordNet ids) knows some, and others too."""
    wnids, place = imagenet_classes()[1], {name: number for number, name in enumerate(class_ids)}
    found = {}
    for key, (_parent, runs) in GROUPS.items():
        known = tuple(sorted(place[wnids[i]] for first, last in runs for i in range(first, last + 1) if wnids[i] in place))
        if 0 < len(known) < len(class_ids):
            found[key] = known
    return found
