"""A pattern for some classes alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from toys import SIDE, VALUES, pictures, seeded, smooth_network

from uap_core.attacks.criterion import Criterion
from uap_core.crafting.class_alone import ClassAlone, fool_inside_keep_outside, is_inside
from uap_core.crafting.default import Default, unlikely_and_turned
from uap_core.crafting.problem import Problem
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError, SettingError
from uap_core.experiments.class_alone import ALONE, FOR_ALL, SIGNS, SidesRow, class_alone, classes_of, sides
from uap_core.models.card import Card
from uap_core.models.class_groups import GROUPS, groups_of
from uap_core.models.classifier import Classifier
from uap_core.models.imagenet import imagenet_classes, parents
from uap_core.norms import Ball

BALL = Ball("linf", 0.1)


def two_corners() -> Classifier:
    """Classes 0 and 1 are told apart by the first pixel, classes 2 and 3 by the second, and the pairs by the third."""
    weight = torch.zeros(4, VALUES)
    weight[0, 0], weight[1, 0], weight[2, 1], weight[3, 1] = 9.0, -9.0, 9.0, -9.0
    weight[0, 2], weight[1, 2], weight[2, 2], weight[3, 2] = 30.0, 30.0, -30.0, -30.0
    layer = nn.Linear(VALUES, 4)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(-weight.sum(dim=1) * 0.5)
    card = Card("corners", "Corners", "embedded", "", SIDE, SIDE, "none", "made in a test")
    return Classifier(nn.Sequential(nn.Flatten(), layer), card, tuple("abcd"), weights_hash="corners")


def corner_pictures(count: int, seed: int) -> Tensor:
    """Pictures of the four classes in turn: their first two pixels say which of a pair, slightly, the third which pair."""
    x = torch.full((count, VALUES), 0.5)
    label = torch.arange(count) % 4
    sign = 1.0 - 2.0 * (label % 2).float()
    nudge = 0.02 + 0.05 * torch.rand(count, generator=seeded(seed))
    x[:, 0] += torch.where(label < 2, sign * nudge, 0)
    x[:, 1] += torch.where(label >= 2, sign * nudge, 0)
    x[:, 2] = torch.where(label < 2, 1.0, 0.0)
    return (x.view(count, 3, SIDE, SIDE) * 255).round().byte()


def corner_set(name: str, count: int, seed: int) -> ImageSet:
    return ImageSet(name, corner_pictures(count, seed), ("0",) * count, tuple(f"{name}/{i}" for i in range(count)))


def test_the_loss_is_that_of_ours_inside_and_holds_the_label_outside() -> None:
    clean, perturbed = torch.randn(6, 5, generator=seeded(0)), torch.randn(6, 5, generator=seeded(1))
    found = fool_inside_keep_outside(clean, perturbed, unlikely_and_turned, (0, 3), 2.0)
    for i in range(6):
        y = int(clean[i].argmax())
        if y in (0, 3):
            expected = unlikely_and_turned(clean[i : i + 1], perturbed[i : i + 1])[0]
        else:
            expected = -2.0 * F.log_softmax(perturbed[i], dim=0)[y]
        assert float(found[i]) == pytest.approx(float(expected), rel=1e-5)
    assert 0 < int(is_inside(clean, (0, 3)).sum()) < 6, "both kinds are tried"


def test_a_step_is_that_of_ours_on_this_loss() -> None:
    """Written out: Adam's first step is the sign of the gradient, as large as the ball, which shrinks."""
    network, images = smooth_network(0), pictures(40)
    problem = Problem.pose([network], images, BALL)
    commonest = int(problem.clean[0].argmax(dim=1).mode().values)
    method = ClassAlone(classes=(commonest,), keep=3.0, budget=80, batch_size=8, smallest_view=1.0, shrinking=1.0)
    state = method.begin(problem, seeded(4))
    v, batches = state.pattern.clone(), list[Tensor]()
    method_gradient = ClassAlone.counted_gradient

    def watched(self: ClassAlone, problem: Problem, state: object, batch: Tensor, v: Tensor) -> Tensor:
        batches.append(batch)
        return method_gradient(self, problem, state, batch, v)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClassAlone, "counted_gradient", watched)
        patch.setattr(ClassAlone, "views", lambda self, batch, state: None)
        method.step(problem, state)
    (batch,) = batches
    inside = is_inside(problem.clean[0], (commonest,))[batch]
    assert inside.tolist() == [True] * 4 + [False] * 4, "half of each kind"
    u = v.clone().requires_grad_(True)
    logits = network((images[batch].float() / 255 + u).clamp(0, 1))
    y = problem.clean[0][batch].argmax(dim=1)
    terms = torch.where(
        inside, unlikely_and_turned(problem.clean[0][batch], logits), 3 * F.cross_entropy(logits, y, reduction="none")
    )
    (gradient,) = torch.autograd.grad(terms.mean(), u)
    expected = (v - 0.19 * gradient.sign()).clamp(-0.19, 0.19)  # after one of ten steps from twice the radius to once
    torch.testing.assert_close(state.pattern, expected, atol=1e-4, rtol=0)


def test_one_pair_falls_and_the_other_stands() -> None:
    network, craft, held_out = two_corners(), corner_set("craft", 40, 0), corner_set("held out", 40, 1)
    method = ClassAlone(classes=(0,), keep=4.0, budget=320, smallest_view=1.0)
    *_, last = method.craft(network, craft.pixels, BALL, seeded(0))
    v = last.perturbation
    assert float(v.abs().max()) <= 0.1 + 1e-6
    clean = network(held_out.images())
    inside, outside, _ = sides(clean, network((held_out.images() + v).clamp(0, 1)).argmax(dim=1), (0,))
    assert (inside.count, inside.total) == (10, 10)
    assert (outside.count, outside.total) == (0, 30)
    *_, for_all = Default(budget=160, smallest_view=1.0).craft(network, craft.pixels, BALL, seeded(0))
    _, others, _ = sides(clean, network((held_out.images() + for_all.perturbation).clamp(0, 1)).argmax(dim=1), (0,))
    assert others.count > 0, "one for all does not leave them alone"


def test_rows_of_an_experiment_from_one_class_into_another() -> None:
    network, craft, held_out = two_corners(), corner_set("craft", 40, 0), corner_set("held out", 40, 1)
    method = ClassAlone(classes=(0,), budget=160, smallest_view=1.0)
    nothing = torch.zeros(3, SIDE, SIDE)
    found = list(class_alone(network, method, craft, held_out, BALL, {FOR_ALL: nothing}, "a", "b"))
    rows = [row for row in found if isinstance(row, SidesRow)]
    assert [row.kind for row in rows] == [FOR_ALL, SIGNS, ALONE]
    assert [(row.group, row.target) for row in rows] == [("a", "b")] * 3
    assert (rows[0].inside.count, rows[0].outside.count) == (0, 0), "no pattern fools nobody"
    assert rows[2].reached is not None
    assert (rows[2].reached.count, rows[2].reached.total) == (10, 10)
    assert rows[2].outside.count <= 2
    assert rows[2].image_gradients == 160
    assert found[-1] is rows[2]


def test_what_cannot_be_asked() -> None:
    network, images = two_corners(), corner_pictures(20, 0)

    def crafted(method: ClassAlone, pixels: Tensor = images, criterion: Criterion | None = None) -> None:
        list(method.craft(network, pixels, BALL, seeded(0), criterion=criterion))

    with pytest.raises(SettingError, match="at least one class"):
        ClassAlone()
    with pytest.raises(SettingError, match="whole number"):
        ClassAlone(classes=("a",))  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="0 or more"):
        ClassAlone(classes=(0,), keep=-1)
    with pytest.raises(SettingError, match="no delta"):
        ClassAlone(classes=(0,), delta=0.2, interval=100)
    with pytest.raises(SettingError, match="0 to 3"):
        crafted(ClassAlone(classes=(4,)))
    with pytest.raises(SettingError, match="all classes of Corners"):
        crafted(ClassAlone(classes=(0, 1, 2, 3)))
    with pytest.raises(SettingError, match="'a', is one of those to leave"):
        crafted(ClassAlone(classes=(0,)), criterion=Criterion.into(0))
    with pytest.raises(DatasetError, match="None of these images"):
        crafted(ClassAlone(classes=(0,)), images[1::4])
    with pytest.raises(DatasetError, match="All of these images"):
        crafted(ClassAlone(classes=(0,)), images[::4])
    only_b = replace(corner_set("held out", 20, 1).subset(torch.arange(1, 20, 4)), name="bs")
    with pytest.raises(DatasetError, match="bs has no picture"):
        list(class_alone(network, ClassAlone(classes=(0,)), corner_set("c", 20, 0), only_b, BALL, {}, "a"))
    with pytest.raises(DatasetError, match="bs has no picture that the network takes for another class"):
        list(class_alone(network, ClassAlone(classes=(1,)), corner_set("c", 20, 0), only_b, BALL, {}, "b"))


def test_groups_are_whole_families_of_wordnet() -> None:
    """Classes with one direct parent are in a group together or not at all; each group is known by its parent."""
    names, wnids = imagenet_classes()
    found = groups_of((*wnids, "n0"))
    assert set(found) == set(GROUPS)
    assert [len(found[key]) for key in ("cats", "dogs", "birds", "insects")] == [13, 118, 59, 27]
    assert {names[i] for i in found["cats"]} >= {"tabby", "lion", "cheetah"}
    above = [parents()[wnid] for wnid in wnids]
    for key, members in found.items():
        theirs = {above[i] for i in members}
        shared = {i for i, parent in enumerate(above) if parent in theirs}
        assert shared <= set(members), key


def test_a_network_has_the_groups_that_it_knows(classifier: Classifier) -> None:
    found = groups_of(classifier.class_ids)
    assert [classifier.labels[i] for i in found["dogs"]] == [
        "Chihuahua",
        "Yorkshire terrier",
        "golden retriever",
        "German shepherd",
        "standard poodle",
    ]
    assert "snakes" in found
    assert "fishes" in found
    assert classes_of(classifier, ("dogs", "lion")) == (*found["dogs"], classifier.index_of("lion"))
    assert groups_of(("n02123045", "n02125311")) == {}, "all that a network knows is no group"
