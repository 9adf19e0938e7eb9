"""Zachary's karate club as data: 34 members, 78 friendships, and which side each took when the club split.

Source: W. Zachary, An information flow model for conflict and fission in small groups, J. Anthropological Research, 1977.
"""

from __future__ import annotations

import numpy as np

# Friends of each member with a smaller number than their own, member 1 first.
_FRIENDS = (
    "",
    "1",
    "1 2",
    "1 2 3",
    "1",
    "1",
    "1 5 6",
    "1 2 3 4",
    "1 3",
    "3",
    "1 5 6",
    "1",
    "1 4",
    "1 2 3 4",
    "",
    "",
    "6 7",
    "1 2",
    "",
    "1 2",
    "",
    "1 2",
    "",
    "",
    "",
    "24 25",
    "",
    "3 24 25",
    "3",
    "24 27",
    "2 9",
    "1 25 26 29",
    "3 9 15 16 19 21 23 24 30 31 32",
    "9 10 14 15 16 19 20 21 23 24 27 28 29 30 31 32 33",
)
_OFFICERS = (10, 15, 16, 19, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34)  # who followed the club's officer
KNOWN = (0, 1, 32, 33)  # the members whose side a network is told
SIDES = ("Mr. Hi", "Officer")


def karate_edges() -> np.ndarray:
    """The 78 friendships (78,2), members counted from 0."""
    pairs = [(int(friend) - 1, member) for member, friends in enumerate(_FRIENDS) for friend in friends.split()]
    return np.array(sorted(pairs), dtype=np.int64)


def karate_sides() -> np.ndarray:
    """The side (34,) of each member: 0 with the instructor, 1 with the officer."""
    sides = np.zeros(len(_FRIENDS), dtype=np.int64)
    sides[[member - 1 for member in _OFFICERS]] = 1
    return sides
