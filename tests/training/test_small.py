"""Small networks learn what they should, by the regularisers that the papers name."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from uap_core.datasets.digits import draw
from uap_core.errors import SettingError
from uap_core.experiments.small_networks.regularisers import ARMS, RegulariserRow, mixture, regulariser_row, spread
from uap_core.models.architectures.small import confidences, fully_connected, lipschitz_bound
from uap_core.training.small import Lesson, Stretches, centred, teach


@pytest.fixture(scope="module")
def rows() -> dict[str, RegulariserRow]:
    """One network an arm, from 1000 digits."""
    found = {}
    for key in ("plain", "dropout", "mixture", "rbf"):
        *_, found[key] = regulariser_row(key, ARMS[key], 0, with_pattern=False)
    return found


def test_the_mixture_errs_less_than_plain_and_dropout(rows: dict[str, RegulariserRow]) -> None:
    errors = {key: row.errors.value for key, row in rows.items()}
    assert errors["mixture"] < min(errors["plain"], errors["dropout"])
    assert rows["mixture"].attacked.value < rows["plain"].attacked.value


def test_rbf_units_err_without_confidence(rows: dict[str, RegulariserRow]) -> None:
    """Goodfellow's sense of "resistant": FGSM makes both err, and one of them knows that it knows nothing."""
    assert rows["rbf"].attacked.value > 0.5
    assert rows["rbf"].sure_when_wrong is not None
    assert rows["plain"].sure_when_wrong is not None
    assert rows["rbf"].sure_when_wrong < 0.4 < 0.8 < rows["plain"].sure_when_wrong
    assert rows["rbf"].bound is None


def test_a_penalty_on_the_bounds_lowers_them() -> None:
    x, y = draw(500, 0)
    bounds = []
    for penalty in (0.0, 0.3):
        torch.manual_seed(0)
        network = fully_connected(30, activation=nn.ReLU)
        assert [*teach(network, x, y, Lesson(epochs=4, batch=50, penalty=penalty))][-1] == 1
        bounds.append(lipschitz_bound(network))
    assert bounds[1] < 0.7 * bounds[0]


def test_the_bound_is_the_product_of_the_largest_singular_values() -> None:
    torch.manual_seed(0)
    network = fully_connected(20, activation=nn.Sigmoid)
    exact = [float(torch.linalg.svdvals(part.weight.detach())[0]) for part in network if isinstance(part, nn.Linear)]
    assert lipschitz_bound(network) == pytest.approx(exact[0] * exact[1] / 4, rel=1e-5)
    held = Stretches(network)
    for _step in range(60):
        logarithms = held.logarithms()
    assert float(logarithms.detach()) == pytest.approx(math.log(exact[0] * exact[1]), abs=1e-3)


def test_far_from_every_centre_rbf_units_say_nothing() -> None:
    x, y = draw(200, 0)
    network = centred(x, y, 2).requires_grad_(False)
    far = network(torch.ones(1, 1, 28, 28))
    assert float(confidences(network, far)) < 1e-6
    assert float(confidences(network, network(x[:1]))) > 0.1


def test_alpha_1_is_plain_learning() -> None:
    x, y = draw(100, 0)
    found = []
    for lesson in (Lesson(epochs=1, batch=50), Lesson(epochs=1, batch=50, alpha=1.0, epsilon=0.3)):
        torch.manual_seed(0)
        network = fully_connected()
        list(teach(network, x, y, lesson))
        found.append(network[1].weight.detach().clone())
    assert torch.equal(*found)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
def test_alpha_is_a_share(alpha: float) -> None:
    with pytest.raises(SettingError, match="from 0"):
        mixture(alpha)


def test_no_units_and_rates_that_diverge_are_sentences() -> None:
    with pytest.raises(SettingError, match="at least one unit"):
        fully_connected(0)
    x, y = draw(100, 0)
    with pytest.raises(SettingError, match="smaller learning rate"):
        list(teach(fully_connected(5, activation=nn.ReLU), x, y, Lesson(epochs=2, batch=50, rate=1e30)))
    with pytest.raises(SettingError, match="above 0"):
        Lesson(rate=0.0)


def test_the_interval_of_few_seeds_is_students() -> None:
    middle, low, high = spread([1.0, 2.0, 3.0])
    assert middle == 2
    assert high - middle == pytest.approx(4.303 / 3**0.5, rel=1e-3)
    assert middle - low == pytest.approx(high - middle)
