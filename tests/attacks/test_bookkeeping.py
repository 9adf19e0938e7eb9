"""What a run keeps and counts, and what a search for the least epsilon repeats."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from toys import SIDE, VALUES, pictures, seeded, smooth_network

from uap_core.attacks.base import Attack
from uap_core.attacks.criterion import Criterion
from uap_core.attacks.epsilon_search import HALVINGS, least_epsilon
from uap_core.attacks.run import AttackRun
from uap_core.models.classifier import Classifier


def test_a_near_failure_does_not_replace_a_success(linear) -> None:
    """Two classes, parted where the mean of all values is one half."""
    weight = torch.stack([torch.zeros(VALUES), torch.ones(VALUES)])
    network: Classifier = linear(weight, torch.tensor([VALUES / 2, 0.0]))
    x = torch.full((1, 3, SIDE, SIDE), 0.4)
    run = AttackRun(network, x, Criterion(torch.tensor([0])))
    for level, works in ((0.45, False), (0.6, True), (0.499, False), (0.55, True), (0.4999, False)):
        tried = torch.full_like(x, level)
        assert run.offer(tried, network(tried), torch.tensor([level - 0.4]), run.all).tolist() == [works]
    assert run.success.tolist() == [True]
    assert torch.equal(run.adversarial, torch.full_like(x, 0.55))
    assert run.labels.tolist() == [1]


def test_gradients_and_queries_are_counted_for_the_images_that_were_asked_about() -> None:
    network, x = smooth_network(0), pictures(4).float() / 255
    run = AttackRun(network, x, Criterion(network(x).argmax(dim=1)))
    which = torch.tensor([1, 3])
    part = x[which].requires_grad_(True)
    run.gradient(run.logits(part, which).sum(dim=1), part, which)
    assert run.queries.tolist() == run.gradients.tolist() == [0, 1, 0, 1]


@dataclass(frozen=True)
class Drawing(Attack):
    """Works from 5/255 on, and notes what it drew."""

    epsilon: float
    other: torch.Tensor
    drawn: list[float] = field(default_factory=list)

    def perturb(self, run: AttackRun, generator: torch.Generator):
        self.drawn.append(float(torch.rand(1, generator=generator)))
        run.judge(run.images if self.epsilon < 5 / 255 else self.other)
        yield 1.0


def test_each_epsilon_of_a_search_draws_the_same_numbers() -> None:
    """Otherwise a smaller one might work by luck alone, and the bisection would compare unlike things."""
    network, x, drawn = smooth_network(0), pictures(1).float() / 255, list[float]()
    goal = Criterion(network(x).argmax(dim=1))
    other = next(some for some in (pictures(1, seed) / 255 for seed in range(1, 20)) if goal.reached(network(some)).all())
    *_, last = least_epsilon(lambda epsilon: Drawing(epsilon, other, drawn), 32 / 255, network, x, goal, seeded(3))
    assert drawn == [float(torch.rand(1, generator=seeded(3)))] * (HALVINGS + 1)
    assert last.success.all()
