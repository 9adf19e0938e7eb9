"""What a change of a graph must not show: the likelihood-ratio test of the degree distribution, and words that go together.

Zügner, Akbarnejad, Günnemann: Adversarial Attacks on Neural Networks for Graph Data, KDD 2018, sections 4.1 and 4.2.
"""

from __future__ import annotations

import numpy as np

from uap_core.geometric.graphs.graph import Graph

FROM_DEGREE = 2  # the power law is fitted to degrees from here on
# A chi-squared variable of one degree of freedom stays below this with probability 5 %: the two samples are told apart less
# than two draws of the same law would be in 19 of 20 cases.
THRESHOLD = 0.004


def likelihood(count: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """The log-likelihood of ``count`` degrees whose logarithms add up to ``logs``, under the power law that fits them best."""
    excess = logs - count * np.log(FROM_DEGREE - 0.5)
    exponent = 1.0 + count / excess
    return np.asarray(count * np.log((exponent - 1) / (FROM_DEGREE - 0.5)) - exponent * excess)


def sums(degrees: np.ndarray) -> tuple[int, float]:
    """How many degrees the law is fitted to, and the sum of their logarithms."""
    kept = degrees[degrees >= FROM_DEGREE]
    return len(kept), float(np.log(kept).sum())


def statistic(before: np.ndarray, after: np.ndarray) -> float:
    """The likelihood ratio of two degree sequences (n,): one power law for both, or one for each."""
    return float(_ratio(sums(before), *(np.array(value) for value in sums(after))))


def _ratio(before: tuple[int, float], count: np.ndarray, logs: np.ndarray) -> np.ndarray:
    apart = likelihood(np.array(before[0]), np.array(before[1])) + likelihood(count, logs)
    return 2 * (apart - likelihood(before[0] + count, before[1] + logs))


def statistics_after(original: np.ndarray, graph: Graph, end: int, others: np.ndarray) -> np.ndarray:
    """``statistic`` (c,) between ``original`` degrees (n,) and those after a flip of ``end`` and each of ``others``."""
    degrees = graph.degrees
    sign = np.where(np.isin(others, graph.neighbours[end]), -1, 1)
    count, logs = (np.full(len(others), value, dtype=np.float64) for value in sums(degrees))
    for old in (np.full(len(others), degrees[end]), degrees[others]):
        for value, weight in ((old, -1.0), (old + sign, 1.0)):
            counts = value >= FROM_DEGREE
            count += weight * counts
            logs += weight * np.where(counts, np.log(np.maximum(value, 1)), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = _ratio(sums(original), count, logs)
    return np.where(np.isfinite(found), found, np.inf)


def leaves_alone(graph: Graph, end: int, others: np.ndarray) -> np.ndarray:
    """Whether (c,) a flip of ``end`` with each of ``others`` takes the last neighbour from one of the two."""
    removed = np.isin(others, graph.neighbours[end])
    return removed & ((graph.degrees[others] == 1) | (len(graph.neighbours[end]) == 1))


def go_together(words: np.ndarray, node: int) -> np.ndarray:
    """Whether (F,) each word is one that a node with the words of ``node`` could have, by a step at random from its words.

    From a word the step goes to another in proportion to the nodes that have both; a word is allowed where it arrives at least
    half as often as at the word of the node where it arrives most. Words (n,F) are 0 and 1. Taking a word away is allowed.
    """
    counts = words.T.astype(np.float64) @ words
    np.fill_diagonal(counts, 0.0)
    steps = counts / np.maximum(counts.sum(1, keepdims=True), 1.0)
    mine = words[node].astype(bool)
    if not mine.any():
        return np.ones(words.shape[1], dtype=bool)
    arrives = steps[mine].mean(0)
    return np.asarray(mine | (arrives > 0.5 * arrives[mine].max()))
