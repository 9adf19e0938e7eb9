"""The Lab's room "Small networks": what it says of rows, and of input that is none."""

from __future__ import annotations

import pytest

from uap_core.errors import SettingError
from uap_core.experiments.small_networks import learners, szegedy
from uap_core.experiments.small_networks.crossing import CrossRow
from uap_core.experiments.small_networks.learners import HALVES, NAMES
from uap_core.experiments.small_networks.regularisers import RegulariserRow
from uap_core.io.results import Table
from uap_core.metrics import Rate
from uap_core.plots.small_networks import alpha_figure, confidence_figure, errors_figure, of_alphas
from uap_core.ui.state import Studio
from uap_core.ui.tabs.small_networks import crossing, regularisers
from uap_core.ui.tabs.small_networks.tab import Views

KEYS = [learner.key for learner in HALVES]


def cell(source: str, network: str, percent: int, size: float | None = None) -> CrossRow:
    return CrossRow(source, network, size, Rate(percent, 100), 0.05)


def test_each_cell_stands_above_the_papers_own() -> None:
    rows = [cell(source, network, 100 if source == network else 40) for source in KEYS for network in KEYS]
    html = crossing.cross_table(rows, szegedy.HALVES, NAMES, "caption")
    assert html.count("<tr>") == 1 + 3
    assert '<span class="rate">40%</span><small>paper 26.2 %</small>' in html
    assert html.count('class="own"') == 3
    said = crossing.compared(rows, szegedy.HALVES, NAMES)
    assert said.startswith("1 of 6 cells"), "26.2 % is the only one near 40 %"
    assert "40% here, 5% there" in said


def test_the_lesson_says_what_the_rows_say() -> None:
    others = ("fc10-middle", "fc100")
    rows = [cell("fc10-weak", key, 10) for key in others] + [cell("fc10-strong", key, 70) for key in others]
    rows += [CrossRow("gaussian", key, 0.3, Rate(5, 100), 0.2) for key in others]
    said = crossing.answer(Table("", rows, {}))
    assert "70% on average" in said
    assert "10%. Noise 4 times as large as the former: 5%" in said


def regularised(
    arm: str, errors: int, sure: float = 0.9, bound: float | None = 50.0, alpha: float = 1.0
) -> list[RegulariserRow]:
    rates = Rate(errors, 100), Rate(90, 100)
    return [RegulariserRow(arm, alpha, seed, *rates, 0.9, sure, bound, Rate(30, 100)) for seed in range(2)]


@pytest.mark.parametrize(("mixture", "said"), [(3, "regularises, more than dropout: errors 3.0%"), (7, "does not regularise")])
def test_claims_are_said_to_hold_only_where_they_do(mixture: int, said: str) -> None:
    rows = [*regularised("plain", 6), *regularised("dropout", 5), *regularised("mixture", mixture, alpha=0.5)]
    rows += [*regularised("lipschitz", 6, bound=7.0), *regularised("rbf", 13, 0.15, None)]
    told = regularisers.told(rows)
    assert said in told
    assert "from 50 to 7.0, but not the errors" in told
    assert "they are 15% sure, plain units 90%" in told
    for figure in (errors_figure(rows, ""), confidence_figure(rows, "")):
        assert len(figure.axes[0].get_xticks()) == 5
    assert list(alpha_figure(of_alphas(rows), "").axes[0].lines[0].get_xdata()) == [0.5, 1.0]


@pytest.mark.parametrize("alpha", [-0.1, 1.5, float("nan"), None, "0.5", True])
def test_an_alpha_that_is_no_share_is_a_sentence_before_any_work(alpha: object) -> None:
    with pytest.raises(SettingError, match="from 0 to 1"):
        next(regularisers.live(alpha))


def test_the_second_table_is_measured_live_as_the_precomputed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer digits, for speed: its noise, its amplified examples, the paper's figures."""
    monkeypatch.setattr(learners, "TAUGHT", 800)
    monkeypatch.setattr(learners, "TESTED", 100)
    monkeypatch.setattr(crossing, "LIVE_IMAGES", 4)
    steps = list(Views(Studio()).cross_halves())
    table = [step[1] for step in steps if isinstance(step[1], str) and step[1]][-1]
    assert table.count('<tr><th scope="row">') == 3 + 3 + 2
    for said in ("FC123-456-10, amplified to 0.1", "Gaussian noise, stddev 0.06", "paper 26.2 %"):
        assert said in table
    assert "Done" in steps[-1][0]
