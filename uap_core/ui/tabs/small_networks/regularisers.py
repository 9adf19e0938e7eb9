"""What regularises a small network: what was precomputed, in sentences and charts, and a run with an alpha of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.errors import SettingError
from uap_core.i18n import _
from uap_core.io.results import Table, to_csv
from uap_core.ui.runtime.time_left import Pace
from uap_core.ui.widgets import hide, offer, progress_note, show, status

if TYPE_CHECKING:
    from uap_core.experiments.small_networks.regularisers import RegulariserRow

LIVE_SEEDS = 3
NOT_COMPUTED = _("Not computed yet: `python -m uap_core publish --data DATA --part small` does.")


def stored(table: Table | None) -> tuple[Any, ...]:
    """Sentences, three charts and the file of what was precomputed."""
    if table is None:
        return status(NOT_COMPUTED), hide(), hide(), hide(), hide()
    from uap_core.plots.small_networks import alpha_figure, confidence_figure, errors_figure, of_alphas

    stated, rows = table.provenance, table.rows
    made = _("Precomputed {date}: {seeds} networks each, taught on {taught}, with 95 % intervals.").format(
        date=stated["time"][:10], seeds=stated["seeds"], taught=stated["taught_on"]
    )
    attacked = _("Attacked by FGSM with epsilon {epsilon:g}: errors, and how sure").format(epsilon=stated["fgsm_epsilon"])
    return (
        status(f"{told(rows)} {made}"),
        show(errors_figure(rows, _("Errors on clean digits"))),
        show(confidence_figure(rows, attacked)),
        show(alpha_figure(of_alphas(rows), _("The mixture by its alpha"))),
        show(offer("digits-regularisers.csv", to_csv(rows).encode())),
    )


def told(rows: Sequence[RegulariserRow]) -> str:
    """Which of the papers' claims hold here."""
    from uap_core.experiments.small_networks.regularisers import spread

    def errors(arm: str) -> tuple[float, float, float]:
        return spread([row.errors.value for row in rows if row.arm == arm])

    def middle(arm: str, name: str) -> float:
        return spread([getattr(row, name) for row in rows if row.arm == arm and getattr(row, name) is not None])[0]

    plain, dropout, mixture, penalty = (errors(arm) for arm in ("plain", "dropout", "mixture", "lipschitz"))
    holds = mixture[0] < min(plain[0], dropout[0])
    said = _("Adversarial training regularises, more than dropout: errors {mixture:.1%}, {dropout:.1%} and {plain:.1%} plain.")
    if not holds:
        said = _(
            "Adversarial training does not regularise more than dropout here: {mixture:.1%}, {dropout:.1%}, {plain:.1%} plain."
        )
    first = said.format(mixture=mixture[0], dropout=dropout[0], plain=plain[0])
    bound = _(
        "The penalty lowers the Lipschitz bound from {before:.0f} to {after:.1f}, and errors from {plain:.1%} to {errors:.1%}."
    )
    if penalty[0] >= plain[0]:
        bound = _("The penalty lowers the Lipschitz bound from {before:.0f} to {after:.1f}, but not the errors: {errors:.1%}.")
    second = bound.format(
        before=middle("plain", "bound"), after=middle("lipschitz", "bound"), plain=plain[0], errors=penalty[0]
    )
    third = _("RBF units resist in confidence: where FGSM makes them err they are {rbf:.0%} sure, plain units {plain:.0%}.")
    sure = {"rbf": middle("rbf", "sure_when_wrong"), "plain": middle("plain", "sure_when_wrong")}
    fourth = _("One pattern fools the plain network on {plain:.0%} of digits, the mixture's on {mixture:.0%}.")
    counted = {arm: [row.universal.value for row in rows if row.arm == arm and row.universal] for arm in ("plain", "mixture")}
    pattern = fourth.format(**{arm: spread(values)[0] for arm, values in counted.items()})
    return f"{first} {second} {third.format(**sure)} {pattern}"


def live(alpha: Any) -> Iterator[tuple[Any, ...]]:
    """Teach plain, dropout and the mixture with ``alpha`` now: a sentence, a chart and the file. Raises SettingError."""
    if not isinstance(alpha, int | float) or isinstance(alpha, bool) or not 0 <= alpha <= 1:
        raise SettingError(_("Alpha is a share from 0 to 1. What was drawn stays."))
    from uap_core.experiments.small_networks.regularisers import ARMS, RegulariserRow, mixture, regulariser_row
    from uap_core.plots.small_networks import errors_figure

    arms = {"plain": ARMS["plain"], "dropout": ARMS["dropout"], "mixture": mixture(float(alpha))}
    pace, rows, total = Pace(), list[RegulariserRow](), len(arms) * LIVE_SEEDS
    yield progress_note(_("Drawing digits…"), 0), gr.skip(), gr.skip()
    title = _("Live: errors on clean digits, the mixture with alpha {alpha:g}").format(alpha=alpha)
    for seed in range(LIVE_SEEDS):
        for key, arm in arms.items():
            for step in regulariser_row(key, arm, seed, with_pattern=False):
                if isinstance(step, float):
                    yield pace.note((len(rows) + step) / total, 1, _("Teaching")), gr.skip(), gr.skip()
                else:
                    rows.append(step)
        csv = show(offer("digits-live.csv", to_csv(rows).encode()))
        yield gr.skip(), show(errors_figure(rows, title)), csv
    yield status(_("Done: {count} networks taught and measured live.").format(count=total)), gr.skip(), gr.skip()
