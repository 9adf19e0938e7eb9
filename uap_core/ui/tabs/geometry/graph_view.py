"""An attack on a graph as what the page draws, a list of flips, and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from uap_core.i18n import N_, _, ngettext
from uap_core.ui.html.tables import wide
from uap_core.ui.tabs.geometry.stage import dot, graph_html

if TYPE_CHECKING:
    from uap_core.geometric.graphs.stored import Stored
    from uap_core.geometric.graphs.targeted import Attack, Flip, Step

REASONS = {
    "noticed": N_("refused: the degrees would give it away"),
    "alone": N_("refused: it would leave a node alone"),
    "odd word": N_("refused: this word does not go with the others"),
}


class Named:
    """How nodes and classes of a graph are called."""

    def __init__(self, nodes: Sequence[str], classes: Sequence[str]) -> None:
        self.nodes, self.classes = nodes, classes


def attack_html(stored: Stored, named: Named, attack: Attack) -> str:
    """The nodes around the one attacked, its flips one by one, and who it is taken for after each."""
    from uap_core.geometric.graphs.layout import DRAWN, around, layout

    graph = stored.nodes.graph
    ends = [flip.b if flip.a == attack.node else flip.a for flip in taken_of(attack) if not flip.is_word]
    ends += [flip.b for flip in taken_of(attack) if not flip.is_word and attack.node not in (flip.a, flip.b)]
    whole = len(graph) <= DRAWN
    shown = list(range(len(graph))) if whole else around(graph, attack.node, [end for end in ends if end != attack.node])
    place = {node: i for i, node in enumerate(shown)}
    edges = [(place[a], place[int(b)]) for a in shown for b in graph.neighbours[a] if int(b) in place and a < b]
    known = np.array([*edges, *(() if whole else ((place[attack.node], place[end]) for end in ends if end != attack.node))])
    at = layout(len(shown), known.reshape(-1, 2).astype(np.int64), 0)
    kinds = stored.predicted
    steps = [_step(step, named, place, number) for number, step in enumerate(attack.steps, 1)]
    before = _("{name}: {kind} for the network, by a margin of {margin:.2f}.").format(
        name=named.nodes[attack.node], kind=named.classes[attack.label], margin=attack.before
    )
    view = {
        "kind": "graph",
        "nodes": [[round(float(x), 3), round(float(y), 3)] for x, y in at],
        "ids": [int(node) for node in shown],
        "names": [named.nodes[node] for node in shown],
        "kinds": [int(kinds[node]) for node in shown],
        "edges": edges,
        "target": place[attack.node],
        "marked": sorted({place[end] for end in ends if end in place}),
        "steps": steps,
        "before": before,
    }
    words = _("A graph of {count} nodes; pick one to attack it.").format(count=len(shown))
    key = dot("var(--after)", _("flipped edge (dashed: removed)"))
    return graph_html(view, words, key + escape(_(" · colours: the network's answers · click a node to attack it")))


def taken_of(attack: Attack) -> list[Flip]:
    """The flips that were made, in order."""
    return [step.taken for step in attack.steps]


def _step(step: Step, named: Named, place: dict[int, int], number: int) -> dict[str, Any]:
    flip = step.taken
    said = _("After {count} ({flip}): {kind}, margin {margin:.2f}").format(
        count=ngettext("{count} flip", "{count} flips", number).format(count=number),
        kind=named.classes[step.answer],
        margin=flip.margin,
        flip=flip_name(flip, named),
    )
    ends = {} if flip.is_word else {"a": place[flip.a], "b": place[flip.b]}
    return {**ends, "word": flip.is_word, "added": flip.added, "kind": step.answer, "said": said}


def flip_name(flip: Flip, named: Named) -> str:
    """A flip in words."""
    if flip.is_word:
        return (_("word {word} added") if flip.added else _("word {word} taken away")).format(word=flip.b)
    made = _("edge {a} – {b} added") if flip.added else _("edge {a} – {b} removed")
    return made.format(a=named.nodes[flip.a], b=named.nodes[flip.b])


def flips_html(attack: Attack, named: Named) -> str:
    """The best flips of the first step: the one taken, those refused and why, and the next best."""
    if not attack.steps or not attack.steps[0].ranked:
        return ""
    from uap_core.geometric.graphs.unnoticed import THRESHOLD

    first = attack.steps[0]
    rows = []
    for flip in first.ranked:
        mine = flip == first.taken
        verdict = _(REASONS[flip.refused]) if flip.refused else _("taken") if mine else _("admitted")
        kind = "refused" if flip.refused else "taken" if mine else ""
        ratio = "" if flip.is_word else f"{flip.statistic:.4f}"
        cells = f"<td>{flip.margin:.2f}</td><td>{ratio}</td><td class='{kind}'>{escape(verdict)}</td>"
        rows.append(f'<tr><th scope="row">{escape(flip_name(flip, named))}</th>{cells}</tr>')
    caption = _(
        "The first flip: the margin that the true answer would keep, and the likelihood ratio of the degrees, which must stay"
        " below {threshold:g}."
    ).format(threshold=THRESHOLD)
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in (_("Flip"), _("Margin"), _("Degrees"), ""))
    body = f"<caption>{escape(caption)}</caption><tr>{head}</tr>{''.join(rows)}"
    return wide(_("The flips, one by one"), f'<table class="flips">{body}</table>')


def verdict(attack: Attack, named: Named, budget: int) -> str:
    """What came of it, in a sentence."""
    if attack.fooled:
        count = len(attack.steps)
        said = ngettext(
            "{count} flip turns {name} from {was} into {now}.", "{count} flips turn {name} from {was} into {now}.", count
        )
        was, now = named.classes[attack.label], named.classes[attack.now]
        return said.format(count=count, name=named.nodes[attack.node], was=was, now=now)
    if not attack.steps:
        return _("Every flip for {name} was refused.").format(name=named.nodes[attack.node])
    return _("{name} holds: still {was} after {count} flips, the most that are tried.").format(
        name=named.nodes[attack.node], was=named.classes[attack.label], count=min(budget, len(attack.steps))
    )
