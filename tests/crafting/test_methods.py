"""What holds for every method, and each against its update written out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from toys import SIDE, VALUES, convolutional_network, pictures, seeded

from uap_core.attacks.criterion import Criterion
from uap_core.attacks.deepfool import cross_boundary
from uap_core.crafting.base import Crafter, Progress
from uap_core.crafting.cos_uap import Cosine
from uap_core.crafting.deepfool_uap import DeepFoolUAP
from uap_core.crafting.default import Default, tiled
from uap_core.crafting.df_uap import KAPPA, Margin, margin
from uap_core.crafting.few_pictures import FewPictures
from uap_core.crafting.generator import Generator
from uap_core.crafting.menu import MENU as METHODS
from uap_core.crafting.menu import build, method_class
from uap_core.crafting.problem import Problem, clean_logits
from uap_core.crafting.random_views import draw_views, seen
from uap_core.crafting.sga import SGA
from uap_core.crafting.spgd import BETA, SPGD, clipped_cross_entropy
from uap_core.crafting.state import State
from uap_core.crafting.sv_uap import Singular
from uap_core.crafting.transfer import Transfer
from uap_core.errors import SettingError
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

LINF, L2 = Ball("linf", 10 / 255), Ball("l2", 0.5)
SMALL: dict[str, Crafter] = {
    "default": Default(budget=60, batch_size=4),
    "transfer": Transfer(budget=60, batch_size=4),
    "deepfool": DeepFoolUAP(passes=2),
    "spgd": SPGD(budget=60, batch_size=4),
    "margin": Margin(budget=60, batch_size=4),
    "cosine": Cosine(budget=60, batch_size=4),
    "sga": SGA(budget=96, batch_size=8, mini_batch=3, passes=2, momentum=0.9),
    "singular": Singular(budget=96, batch_size=8, stride=1),
    "few_pictures": FewPictures(budget=96, loud=0.2),  # of a toy, whose loud layers decide little
    "generator": Generator(budget=96, batch_size=8, draws=4, channels=4, rate=0.02),
}
# A method of the menu that is not named above is tried as the menu builds it.
SMALL |= {key: build(key, 96) for key in METHODS if key not in SMALL}
FOR_IMAGES = [key for key, item in METHODS.items() if item.needs_images]  # the others never see these pictures
TARGETED = [key for key, item in METHODS.items() if item.targets]


@pytest.fixture(scope="module")
def convolutional() -> Classifier:
    return convolutional_network()


def run(method: Crafter, network: Classifier, images: Tensor, ball: Ball, seed: int = 0, **more: object) -> list[Progress]:
    return list(method.craft(network, images, ball, seeded(seed), **more))  # type: ignore[arg-type]


def test_every_method_is_tried_here() -> None:
    assert all(type(method) is method_class(name) for name, method in SMALL.items())
    with pytest.raises(SettingError, match="no method 'nonsense'"):
        method_class("nonsense")


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("ball", [LINF, L2, Ball("linf", 0.0), Ball("l2", 0.0)], ids=str)
def test_every_pattern_lies_in_the_ball(convolutional: Classifier, name: str, ball: Ball) -> None:
    for progress in run(SMALL[name], convolutional, pictures(10), ball):
        v = progress.perturbation.double()
        assert v.shape == (3, SIDE, SIDE)
        assert v.isfinite().all()
        assert (v.abs().max() if ball.p == "linf" else v.norm()) <= ball.radius * (1 + 1e-6)
    assert progress.done
    assert progress.share == 1 or name == "deepfool"  # which may be content before


def longer(method: Crafter) -> Crafter:
    return replace(method, budget=max(method.budget, 400))


@pytest.mark.parametrize("name", [key for key in FOR_IMAGES if key != "singular"])  # which moves a layer, and knows no classes
@pytest.mark.parametrize("ball", [LINF, L2], ids=str)
def test_fools_more_than_chance(convolutional: Classifier, name: str, ball: Ball) -> None:
    """Against the best of twenty random patterns of the same norm; a step in the wrong direction would not."""
    images = pictures(60)
    labels = clean_logits(convolutional, images).argmax(dim=1)
    signs = [ball.random_signs((3, SIDE, SIDE), seeded(seed)) for seed in range(20)]
    chance = [float((clean_logits_under(convolutional, images, v).argmax(dim=1) != labels).float().mean()) for v in signs]
    last = run(longer(SMALL[name]), convolutional, images, ball)[-1]
    assert last.fooling_rate is not None
    assert last.fooling_rate.value > max(chance)


def clean_logits_under(network: Classifier, images: Tensor, v: Tensor) -> Tensor:
    with torch.no_grad():
        return network((images.float() / 255 + v).clamp(0, 1))


@pytest.mark.parametrize("name", METHODS)
def test_the_seed_decides(convolutional: Classifier, name: str) -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first, again, other = (run(SMALL[name], convolutional, pictures(30), LINF, seed) for seed in (0, 0, 1))
    assert all(torch.equal(a.perturbation, b.perturbation) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a.perturbation, b.perturbation) for a, b in zip(first, other, strict=False))
    assert torch.equal(state, torch.get_rng_state()), "the global generator is everybody's"


@pytest.mark.parametrize("name", TARGETED)
@pytest.mark.parametrize("ball", [Ball("linf", 0.1), Ball("l2", 1.2)], ids=str)
def test_a_target_swallows_more_than_it_would(convolutional: Classifier, name: str, ball: Ball) -> None:
    images = pictures(40)
    labels = clean_logits(convolutional, images).argmax(dim=1)
    free = run(longer(SMALL[name]), convolutional, images, ball)[-1]
    assert free.target_rate is None
    free_labels = clean_logits_under(convolutional, images, free.perturbation).argmax(dim=1)
    swallowed, unaimed = 0, 0
    for target in (0, 3):
        last = run(longer(SMALL[name]), convolutional, images, ball, criterion=Criterion.into(target))[-1]
        after = clean_logits_under(convolutional, images, last.perturbation).argmax(dim=1)
        assert last.target_rate is not None
        assert last.target_rate.total == int((labels != target).sum())
        assert last.target_rate.count == int(((after == target) & (labels != target)).sum())
        assert last.target_rate.value > 0.5
        swallowed += last.target_rate.count
        unaimed += int(((free_labels == target) & (labels != target)).sum())
    assert swallowed > unaimed


@pytest.mark.parametrize("name", sorted(set(METHODS) - set(TARGETED)))
def test_methods_without_a_target_say_so(convolutional: Classifier, name: str) -> None:
    with pytest.raises(SettingError, match="has no target"):
        run(SMALL[name], convolutional, pictures(4), LINF, criterion=Criterion.into(1))


def steepest(ball: Ball, gradient: Tensor, size: float) -> Tensor:
    return size * (gradient.sign() if ball.p == "linf" else gradient / gradient.norm())


def project(ball: Ball, v: Tensor) -> Tensor:
    if ball.p == "linf":
        return v.clamp(-ball.radius, ball.radius)
    return v * min(1.0, ball.radius / float(v.norm()))


def slope(network: Classifier, images: Tensor, v: Tensor, loss, views: Tensor | None = None) -> Tensor:
    v = v.clone().requires_grad_(True)
    x = images.float() / 255
    moved = x if views is None else seen(x, views)
    return torch.autograd.grad(loss(network(x), network((moved + v).clamp(0, 1))).mean(), v)[0]


@pytest.mark.parametrize("ball", [LINF, L2], ids=str)
def test_spgd_is_a_sign_step_and_a_projection(smooth: Classifier, ball: Ball) -> None:
    images = pictures(6)
    v = torch.zeros(3, SIDE, SIDE)
    for progress in run(SPGD(budget=90, batch_size=6), smooth, images, ball)[:-1]:

        def loss(clean: Tensor, perturbed: Tensor) -> Tensor:
            p = perturbed.log_softmax(dim=1).gather(1, clean.argmax(dim=1)[:, None])[:, 0]
            return -torch.minimum(-p, torch.tensor(9.0))

        v = project(ball, v - steepest(ball, slope(smooth, images, v, loss), 0.1 * ball.radius))
        torch.testing.assert_close(progress.perturbation, v, rtol=1e-4, atol=1e-6)
    assert progress.step == 15


class WrittenOutAdam:
    """torch's own Adam, with the projection after each step."""

    def __init__(self, v: Tensor, rate: float) -> None:
        self.v = v.clone().requires_grad_(True)
        self.optimiser = torch.optim.Adam([self.v], lr=rate, eps=1e-12)

    def step(self, gradient: Tensor, ball: Ball, rate: float | None = None) -> Tensor:
        self.v.grad = gradient
        if rate is not None:
            self.optimiser.param_groups[0]["lr"] = rate
        self.optimiser.step()
        with torch.no_grad():
            self.v.copy_(project(ball, self.v))
        return self.v.detach()


@pytest.mark.parametrize("ball", [LINF, L2], ids=str)
def test_margin_is_adam_on_the_clipped_lead(smooth: Classifier, ball: Ball) -> None:
    images = pictures(6)
    unit = ball.radius if ball.p == "linf" else ball.radius / math.sqrt(VALUES)
    adam = WrittenOutAdam(torch.zeros(3, SIDE, SIDE), 0.1275 * unit)

    def loss(clean: Tensor, perturbed: Tensor) -> Tensor:
        leads = []
        for before, after in zip(clean, perturbed, strict=True):
            y = int(before.argmax())
            leads.append(torch.maximum(after[y] - max(after[j] for j in range(5) if j != y), torch.tensor(-10.0)))
        return torch.stack(leads)

    for progress in run(Margin(budget=60, batch_size=6), smooth, images, ball)[:-1]:
        v = adam.step(slope(smooth, images, adam.v.detach(), loss), ball)
        torch.testing.assert_close(progress.perturbation, v, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("ball", [LINF, L2], ids=str)
def test_cosine_is_adam_on_the_angle(smooth: Classifier, ball: Ball) -> None:
    images = pictures(6)
    unit = ball.radius if ball.p == "linf" else ball.radius / math.sqrt(VALUES)
    adam = WrittenOutAdam(0.1 * ball.random_signs((3, SIDE, SIDE), seeded(0)), 0.125 * unit)

    def loss(clean: Tensor, perturbed: Tensor) -> Tensor:
        return (clean * perturbed).sum(dim=1) / (clean.norm(dim=1) * perturbed.norm(dim=1))

    for progress in run(Cosine(budget=60, batch_size=6), smooth, images, ball)[:-1]:
        v = adam.step(slope(smooth, images, adam.v.detach(), loss), ball)
        close = torch.isclose(progress.perturbation, v, rtol=1e-3, atol=1e-6)
        assert close.double().mean() > 0.97, "where the slope is nearly zero, rounding decides what Adam divides"


@pytest.mark.parametrize("ball", [LINF, L2], ids=str)
def test_default_steps_in_a_shrinking_ball(smooth: Classifier, ball: Ball) -> None:
    images, generator = pictures(6), seeded(0)
    adam = WrittenOutAdam(0.1 * ball.random_signs((3, SIDE, SIDE), generator), 1.0)

    def loss(clean: Tensor, perturbed: Tensor) -> Tensor:
        centred = clean - clean.mean(dim=1, keepdim=True)
        spread = (centred**2).mean(dim=1).sqrt()
        surprise = -perturbed.log_softmax(dim=1).gather(1, clean.argmax(dim=1)[:, None])[:, 0]
        cosine = (clean * perturbed).sum(dim=1) / (clean.norm(dim=1) * perturbed.norm(dim=1))
        return 0.5 * centred.norm(dim=1) * cosine - torch.minimum(surprise, 5 * spread)

    method = Default(budget=60, batch_size=6)
    *steps, _, last = run(method, smooth, images, ball)  # the one before the last: it is being pushed out to the surface
    assert len(steps) == 10
    v, mean = adam.v.detach(), torch.zeros(3, SIDE, SIDE)
    for k, progress in enumerate(steps):
        now = Ball(ball.p, ball.radius * (1 + max(0.0, 1 - (k + 1) / 6)))
        views = draw_views(len(images), method.smallest_view, generator)
        gradient = slope(smooth, images, v, loss, views)
        if ball.p == "linf":
            v = adam.step(gradient, now, now.radius * (1 - k / 10))
        else:
            mean = 0.9 * mean + 0.1 * gradient / gradient.norm()
            v = project(now, v - now.radius * (1 - k / 10) * mean / (1 - 0.9 ** (k + 1)))
        torch.testing.assert_close(progress.perturbation, project(ball, v), rtol=1e-3, atol=1e-6)
    full = ball.radius * v.sign() if ball.p == "linf" else ball.radius * v / v.norm()
    labels = clean_logits(smooth, images).argmax(dim=1)
    fooled = [int((clean_logits_under(smooth, images, u).argmax(dim=1) != labels).sum()) for u in (v, full)]
    torch.testing.assert_close(last.perturbation, full if fooled[1] >= fooled[0] else v, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("ball", [LINF, L2], ids=str)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sga_looks_ahead_and_goes_by_the_mean(smooth: Classifier, ball: Ball, momentum: float) -> None:
    """With one image in a mini-batch of a set of one there is nothing to shuffle."""
    image = pictures(1)
    v, carried = torch.zeros(3, SIDE, SIDE), torch.zeros(3, SIDE, SIDE)
    size = 0.1 * ball.radius
    method = SGA(budget=40, batch_size=1, mini_batch=1, passes=4, momentum=momentum)
    for progress in run(method, smooth, image, ball)[:-1]:
        u, gradients = v, []
        for _ in range(4):
            gradients.append(slope(smooth, image, u, clipped_cross_entropy))
            u = project(ball, u - steepest(ball, gradients[-1], size))
        mean = torch.stack(gradients).mean(dim=0)
        carried = momentum * carried + mean / mean.abs().mean()
        v = project(ball, v - steepest(ball, carried if momentum else mean, size))
        torch.testing.assert_close(progress.perturbation, v, rtol=1e-4, atol=1e-6)
    assert (progress.step, progress.image_gradients) == (10, 40)


def test_sga_shows_every_image_of_the_batch_in_each_pass(smooth: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    original = SGA.counted_gradient

    def watched(self: SGA, problem: Problem, state: State, mini: Tensor, u: Tensor) -> Tensor:
        seen.append(mini)
        return original(self, problem, state, mini, u)

    monkeypatch.setattr(SGA, "counted_gradient", watched)
    next(SGA(budget=100, batch_size=8, mini_batch=3, passes=2).craft(smooth, pictures(20), LINF, seeded(0)))
    assert [len(mini) for mini in seen] == [3, 3, 2, 3, 3, 2]
    first, second = torch.cat(seen[:3]), torch.cat(seen[3:])
    assert sorted(first.tolist()) == sorted(second.tolist())
    assert len(set(first.tolist())) == 8


@pytest.mark.parametrize("ball", [LINF, L2], ids=str)
def test_singular_is_the_power_method_on_the_written_out_jacobian(convolutional: Classifier, ball: Ball) -> None:
    images = pictures(3).clamp(20, 235)
    conv, tanh = convolutional.network[0], convolutional.network[1]

    def layer(x: Tensor) -> Tensor:
        return tanh(conv(x)).flatten()

    jacobians = [torch.autograd.functional.jacobian(layer, x[None].float() / 255).flatten(1) for x in images]
    stacked = torch.cat([j.reshape(-1, VALUES) for j in jacobians]).double()
    v = ball.random_signs((3, SIDE, SIDE), seeded(0)).flatten().double()
    for progress in run(Singular(budget=30, batch_size=3, stride=1, q=10), convolutional, images, ball)[:-1]:
        forth = stacked @ (v / v.norm())
        back = stacked.T @ (forth.sign() * forth.abs() ** 9)
        v = ball.radius * (back.sign() if ball.p == "linf" else back / back.norm())
        close = torch.isclose(progress.perturbation.flatten().double(), v, rtol=1e-3, atol=1e-6)
        assert close.double().mean() > 0.98, "a sign may turn where the slope is nearly zero"
    assert (progress.step, progress.image_gradients) == (5, 30)
    gained = (stacked @ v).abs().pow(10).sum()
    signs = [ball.random_signs((3, SIDE, SIDE), seeded(seed)).flatten().double() for seed in range(20)]
    assert gained > max((stacked @ u).abs().pow(10).sum() for u in signs)


def test_the_losses_are_those_of_the_papers() -> None:
    clean = torch.tensor([[1.0, 0.0, -1.0], [0.0, 2.0, 0.0], [1.0, 0.0, -1.0]])
    other = torch.tensor([[0.0, 0.0, 0.0], [3.0, 0.0, 1.0], [-50.0, 50.0, 0.0]])
    expected = [-math.log(3), -(math.log(math.exp(3) + 1 + math.e)), -BETA]
    assert clipped_cross_entropy(clean, other).tolist() == pytest.approx(expected, rel=1e-5)
    assert clipped_cross_entropy(clean, other, target=1)[0] == pytest.approx(math.log(3), rel=1e-5)
    assert clipped_cross_entropy(clean, other, target=0)[2] == pytest.approx(100, rel=1e-5)
    assert margin(clean, other).tolist() == [0.0, -3.0, -KAPPA]
    assert margin(clean, other, target=2).tolist() == [0.0, 2.0, 50.0]
    assert margin(clean, -other, target=0)[2] == -KAPPA
    steep = other.clone().requires_grad_(True)
    margin(clean, steep, target=2).sum().backward()
    assert steep.grad is not None
    assert not steep.grad[:, :2].any(), "the best other class is not differentiated"
    assert not F.cosine_similarity(clean, clean).sub(Cosine.loss(clean, 7 * clean, None)).any()


@pytest.mark.parametrize(
    ("method", "iterations", "ball", "seed"),
    [(DeepFoolUAP(), 10, LINF, 5), (DeepFoolUAP.paper(), 50, Ball("linf", 0.07), 0)],
    ids=["defaults", "paper"],
)
def test_deepfool_at_batch_size_one_is_the_papers_algorithm(
    smooth: Classifier, method: DeepFoolUAP, iterations: int, ball: Ball, seed: int
) -> None:
    """Algorithm 1 written out: every image in a shuffled order, skipped when fooled; stop after the pass that is enough."""
    images = pictures(12)
    generator = seeded(seed)
    x = images.float() / 255
    labels = smooth(x).argmax(dim=1)
    v, rates = torch.zeros(3, SIDE, SIDE), []
    for _ in range(5):
        for index in torch.randperm(12, generator=generator):
            if smooth((x[index] + v).clamp(0, 1)[None]).argmax() == labels[index]:
                found = cross_boundary(lambda points: smooth(points.clamp(0, 1)), (x[index] + v)[None], 10, 0.02, iterations)
                if found.crossed[0]:
                    v = project(ball, v + found.steps[0])
        rates.append(float((smooth((x + v).clamp(0, 1)).argmax(dim=1) != labels).float().mean()))
        if rates[-1] >= 0.8:
            break
    progresses = run(method, smooth, images, ball, seed)
    measured = [progress.fooling_rate.value for progress in progresses if progress.fooling_rate]
    torch.testing.assert_close(progresses[-1].perturbation, v, rtol=1e-4, atol=1e-6)
    assert measured[: len(rates)] == pytest.approx(rates)


def test_the_papers_deepfool_goes_on_until_enough_are_fooled(smooth: Classifier) -> None:
    """In a ball that is too small, where ours ends after five passes."""
    ball, paper = Ball("linf", 0.05), DeepFoolUAP.paper()
    assert (paper.delta, paper.candidates, paper.overshoot, paper.iterations) == (0.2, 10, 0.02, 50)
    assert run(DeepFoolUAP(), smooth, pictures(12), ball)[-1].step == 60
    going = paper.craft(smooth, pictures(12), ball, seeded(0))
    *_, last = (progress for progress, _ in zip(going, range(100), strict=False))
    assert (last.step, last.done) == (100, False)


def test_deepfool_stops_after_the_pass_that_is_enough(smooth: Classifier) -> None:
    images = pictures(12)
    *_, patient = run(DeepFoolUAP(delta=0.0, passes=3), smooth, images, Ball("linf", 0.2))
    *_, content = run(DeepFoolUAP(delta=0.5), smooth, images, Ball("linf", 0.2))
    assert patient.step == 36
    assert content.step == 12
    assert content.fooling_rate is not None
    assert content.fooling_rate.value >= 0.5


@pytest.mark.parametrize("batch", [1, 5, 12, 50])
def test_deepfool_in_batches_adds_the_mean_step(smooth: Classifier, batch: int) -> None:
    images = pictures(12)
    first = next(DeepFoolUAP(batch_size=batch, gain=2.0).craft(smooth, images, Ball("l2", 9.0), seeded(0)))
    order = torch.randperm(12, generator=seeded(0))[:batch] if batch < 12 else torch.arange(12)
    x = images[order].float() / 255
    found = cross_boundary(lambda points: smooth(points.clamp(0, 1)), x)
    torch.testing.assert_close(first.perturbation, 2 * found.steps[found.crossed].mean(dim=0), rtol=1e-4, atol=1e-6)
    assert first.image_gradients == int(found.backward_passes.sum())


@pytest.mark.parametrize("ball", [LINF, L2])
def test_a_tiled_pattern_repeats_one_square(convolutional: Classifier, ball: Ball) -> None:
    found = run(Default(budget=60, batch_size=4, tiles=2), convolutional, pictures(8), ball)[-1].perturbation
    half = SIDE // 2
    torch.testing.assert_close(found, found.roll((half, half), dims=(1, 2)), rtol=0, atol=1e-6)
    assert not torch.equal(found, found.roll((1, 0), dims=(1, 2)))
    with pytest.raises(SettingError, match=f"3 tiles do not fill {SIDE} pixels"):
        run(Default(tiles=3), convolutional, pictures(2), ball)


def test_a_tiled_gradient_is_that_of_the_square() -> None:
    square = torch.rand(3, 4, 4, generator=seeded(1)).requires_grad_(True)
    weights = torch.rand(3, 8, 8, generator=seeded(2))
    (square.repeat(1, 2, 2) * weights).sum().backward()
    assert square.grad is not None
    torch.testing.assert_close(tiled(weights, 2), (square.grad / 4).repeat(1, 2, 2))
