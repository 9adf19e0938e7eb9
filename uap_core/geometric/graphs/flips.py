"""The exact answer of the network for a node after each of many flips, without going through the graph for each of them.

An edge between a and u changes the degrees of a and u, hence what these two send, and one term at either end. So for a node v
only the terms of v and of its neighbours change, in closed form.
"""

from __future__ import annotations

import numpy as np

from uap_core.geometric.graphs.gcn import Seen

CHUNK = 2_000_000  # numbers in one array at a time


def logits_after(seen: Seen, node: int, end: int, others: np.ndarray) -> np.ndarray:
    """Logits (c,K) of ``node`` after the edge between ``end`` and each of ``others`` (c,) was flipped by itself.

    ``end`` is the node itself (a direct flip) or one of its neighbours (an influencer); then ``others`` must not hold the node.
    """
    near = np.append(seen.graph.neighbours[node], node)
    size = max(1, CHUNK // (len(near) * seen.projected.shape[1]))
    parts = [_some(seen, node, end, others[low : low + size], near) for low in range(0, len(others), size)]
    return np.concatenate(parts) if parts else np.empty((0, seen.gcn.second.shape[1]))


def _some(seen: Seen, node: int, end: int, others: np.ndarray, near: np.ndarray) -> np.ndarray:
    sign = np.where(np.isin(others, seen.graph.neighbours[end]), -1.0, 1.0)
    end_scale = (seen.scale[end] ** -2 + sign) ** -0.5
    other_scale = (seen.scale[others] ** -2 + sign) ** -0.5
    sent_end, sent_others = seen.projected[end], seen.projected[others]
    scale = np.broadcast_to(seen.scale[near], (len(others), len(near))).copy()
    scale[:, near == end] = end_scale[:, None]
    is_other = near[None] == others[:, None]
    scale = np.where(is_other, other_scale[:, None], scale)
    gathered = np.broadcast_to(seen.gathered[near], (len(others), len(near), sent_end.size)).copy()
    hears_end = np.isin(near, np.append(seen.graph.neighbours[end], end))
    gathered[:, hears_end] += ((end_scale - seen.scale[end])[:, None] * sent_end)[:, None]
    hears_other = np.stack([np.isin(others, np.append(seen.graph.neighbours[w], w)) for w in near], 1)
    shift = (other_scale - seen.scale[others])[:, None] * sent_others
    gathered += hears_other[..., None] * shift[:, None]
    gathered[:, near == end] += ((sign * other_scale)[:, None] * sent_others)[:, None]
    gathered += is_other[..., None] * ((sign * end_scale)[:, None] * sent_end)[:, None]
    hidden = scale[..., None] ** 2 * np.maximum(gathered, 0.0)
    if end != node:
        return (seen.scale[node] * hidden.sum(1)) @ seen.gcn.second
    hidden = np.where((is_other & (sign < 0)[:, None])[..., None], 0.0, hidden)  # a neighbour no longer
    new = seen.gathered[others] + shift + end_scale[:, None] * sent_end
    added = np.where(sign[:, None] > 0, other_scale[:, None] ** 2 * np.maximum(new, 0.0), 0.0)
    return (end_scale[:, None] * (hidden.sum(1) + added)) @ seen.gcn.second


def logits_after_words(seen: Seen, node: int, words: np.ndarray) -> np.ndarray:
    """Logits (F,K) of ``node`` after each of its ``words`` (F,), 0 or 1, was flipped by itself."""
    near = np.append(seen.graph.neighbours[node], node)
    change = (1.0 - 2.0 * words)[:, None] * seen.gcn.first
    gathered = seen.gathered[near][None] + seen.scale[node] * change[:, None]
    hidden = (seen.scale[near] ** 2)[None, :, None] * np.maximum(gathered, 0.0)
    return (seen.scale[node] * hidden.sum(1)) @ seen.gcn.second
