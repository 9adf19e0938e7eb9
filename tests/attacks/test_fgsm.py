from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from uap_core.attacks.fgsm import FGSM, fgsm
from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier
from uap_core.models.gradients import loss_gradient
from uap_core.norms import LEAST

SIDE = 8
EPSILON = 10 / 255


@pytest.fixture(scope="module")
def network(linear) -> Classifier:
    generator = torch.Generator().manual_seed(0)
    return linear(torch.randn(4, 3 * SIDE * SIDE, generator=generator) * 0.2, torch.randn(4, generator=generator))


def pictures(count: int, seed: int = 1) -> Tensor:
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("targeted", [False, True])
def test_equals_the_closed_form_on_a_linear_network(network: Classifier, targeted: bool) -> None:
    x, weight = pictures(8), network.network[1].weight
    logits = network(x)
    y = logits.argmin(dim=1) if targeted else logits.argmax(dim=1)
    gradient = (logits.softmax(dim=1) @ weight - weight[y]).view_as(x)  # d cross-entropy / dx
    sure = gradient.abs() > 1e-5  # nearer to zero, rounding may choose the sign
    expected = (x + (-1 if targeted else 1) * EPSILON * gradient.sign()).clamp(0, 1)
    result = FGSM(EPSILON)(network, x, y, targeted)
    assert sure.float().mean() > 0.99
    assert torch.equal(result.adversarial[sure], expected[sure])
    assert torch.equal(result.labels, network(result.adversarial).argmax(dim=1))
    assert torch.equal(result.success, result.labels == y if targeted else result.labels != y)


def test_epsilon_zero_changes_no_bit(network: Classifier) -> None:
    x = pictures(8)
    x[0], x[1] = 0.0, 1.0
    result = FGSM(0.0)(network, x, network(x).argmax(dim=1))
    assert torch.equal(result.adversarial, x)
    assert not result.success.any()
    assert not result.linf.any()
    assert not result.l0.any()


@settings(max_examples=30, deadline=None)
@given(epsilon=st.just(0.0) | st.floats(LEAST, 1), seed=st.integers(0, 1000), targeted=st.booleans())
def test_stays_in_the_ball_and_in_the_picture(network: Classifier, epsilon: float, seed: int, targeted: bool) -> None:
    x = pictures(3, seed)
    x[0] = x[0].round()
    logits = network(x)
    result = FGSM(epsilon)(network, x, logits.argmin(dim=1) if targeted else logits.argmax(dim=1), targeted)
    change = (result.adversarial - x).flatten(1)
    assert change.abs().max() <= epsilon + 1e-6
    assert 0 <= result.adversarial.min() <= result.adversarial.max() <= 1
    torch.testing.assert_close(result.linf, change.abs().amax(dim=1))
    torch.testing.assert_close(result.l2, change.norm(dim=1))


def test_the_whole_ball_is_used(network: Classifier) -> None:
    x = pictures(4) * 0.5 + 0.25
    torch.testing.assert_close(FGSM(EPSILON)(network, x, network(x).argmax(dim=1)).linf, torch.full((4,), EPSILON))


def test_a_batch_is_that_many_single_attacks(classifier: Classifier) -> None:
    """In float64: in float32 a unit within rounding of its kink, where the gradient jumps, depends on the batch."""
    exact = copy.deepcopy(classifier).double()
    x = torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(0)).double()
    y = exact(x).argmax(dim=1)
    together = loss_gradient(exact, x, y)
    alone = torch.cat([loss_gradient(exact, x[i : i + 1], y[i : i + 1]) for i in range(8)])
    torch.testing.assert_close(together, alone, rtol=1e-6, atol=1e-9 * float(alone.abs().max()))


def test_batch_on_a_linear_network(network: Classifier) -> None:
    x = pictures(8)
    y = network(x).argmax(dim=1)
    attack = FGSM(EPSILON)
    alone = [attack(network, x[i : i + 1], y[i : i + 1]) for i in range(8)]
    together = attack(network, x, y)
    assert torch.equal(together.adversarial, torch.cat([one.adversarial for one in alone]))
    assert torch.equal(together.success, torch.cat([one.success for one in alone]))


def test_targeted_approaches_the_target_and_untargeted_leaves_the_label(network: Classifier) -> None:
    x = pictures(8)
    clean = network(x)
    loss = torch.nn.functional.cross_entropy
    target, label = clean.argmin(dim=1), clean.argmax(dim=1)
    towards = network(FGSM(2 / 255)(network, x, target, True).adversarial)
    away = network(FGSM(2 / 255)(network, x, label).adversarial)
    assert (loss(towards, target, reduction="none") < loss(clean, target, reduction="none")).all()
    assert (loss(away, label, reduction="none") > loss(clean, label, reduction="none")).all()


def test_leaves_the_network_and_the_images_alone(classifier: Classifier) -> None:
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    x = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    untouched = x.clone()
    FGSM(EPSILON)(classifier, x, classifier(x).argmax(dim=1))
    assert torch.equal(x, untouched)
    assert not x.requires_grad
    assert all(p.grad is None for p in classifier.parameters())
    assert before
    assert all(torch.equal(value, before[name]) for name, value in classifier.state_dict().items())


@pytest.mark.parametrize("epsilon", [-0.01, 1.01, float("nan"), float("inf")])
def test_bad_epsilon_is_refused(epsilon: float) -> None:
    with pytest.raises(SettingError, match="psilon"):
        FGSM(epsilon)


def test_labels_may_come_from_inference_mode(network: Classifier) -> None:
    x = pictures(2)
    with torch.inference_mode():
        labels = network(x).argmax(dim=1)
    assert torch.equal(FGSM()(network, x, labels).adversarial, FGSM()(network, x, labels.clone()).adversarial)


def test_the_step_is_there_for_any_function_even_where_gradients_are_off(network: Classifier) -> None:
    x = pictures(4)
    y = network(x).argmax(dim=1)
    with torch.no_grad():
        alone = fgsm(lambda pixels: network(pixels), x, y, EPSILON)
    assert torch.equal(alone, FGSM(EPSILON)(network, x, y).adversarial)
