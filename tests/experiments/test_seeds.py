"""What a seed decides, and what is crafted on which images: each done by hand with seed 3."""

from __future__ import annotations

import pytest
import torch
from toys import SIDE, VALUES, convolutional_network, pictures, seeded, smooth_network, toy_set

from uap_core.attacks.menu import FOOLED, HELD, SIGNS, UNIVERSAL
from uap_core.crafting.default import Default
from uap_core.crafting.detector_aware import Unnoticed
from uap_core.experiments.compare import Bout, compare
from uap_core.experiments.defences import DefenceRow, defence_rows
from uap_core.experiments.detector import AWARE, Crafting, auc_interval, detector_rows, roc
from uap_core.experiments.normals import SPAN, subspace_rates
from uap_core.experiments.origins import GAUSSIAN, RANDOM_SIGNS
from uap_core.experiments.sample_curve import sample_curve
from uap_core.experiments.transfer_matrix import fooling_matrix, noises
from uap_core.metrics import Rate, auc, fooling_rate, predict
from uap_core.models import feature_entropy
from uap_core.models.classifier import Classifier
from uap_core.models.feature_entropy import deep_entropy
from uap_core.norms import Ball
from uap_core.perturbations.perturbation import Perturbation, apply

SEED = 3
CRAFT, HELD_OUT = toy_set("craft", 16, 0), toy_set("held out", 300, 1)
BALL = Ball("linf", 30 / 255)
METHOD = Default(budget=32, batch_size=8)


def fooled(network: Classifier, v: torch.Tensor) -> Rate:
    """On the held-out images."""
    x = HELD_OUT.images()
    return fooling_rate(network(x).argmax(dim=1), network(apply(x, v)).argmax(dim=1))


def crafted(network: Classifier, images: torch.Tensor, method: object = METHOD, seed: int = SEED) -> torch.Tensor:
    *_, last = method.craft(network, images, BALL, seeded(seed))
    return last.perturbation


def test_a_row_of_defences_under_a_seed() -> None:
    network = smooth_network(1, spread=0.3)
    pattern = Perturbation("any", BALL.random_signs((3, SIDE, SIDE), seeded(9)), BALL)
    found = defence_rows(network, (), pattern, CRAFT, HELD_OUT, METHOD, SEED)
    (row,) = (row for row in found if isinstance(row, DefenceRow))
    by_hand = [BALL.random_signs((3, SIDE, SIDE), seeded(seed)) for seed in (SEED, 0)]
    anew = [crafted(network, CRAFT.pixels, seed=seed) for seed in (SEED, 0)]
    rates = [[fooled(network, v) for v in some] for some in (by_hand, anew)]
    assert all(ours != others for ours, others in rates), "another seed would be told apart"
    assert [row.random_signs, row.crafted_anew] == [ours for ours, _ in rates]


def test_a_point_of_the_curve_under_a_seed() -> None:
    network = smooth_network(0, spread=0.3)
    patterns: dict[int, torch.Tensor] = {}
    *_, row = sample_curve(network, METHOD, CRAFT, HELD_OUT, BALL, [4], SEED, patterns)
    images = CRAFT.pixels[torch.randperm(len(CRAFT), generator=seeded(SEED))[:4]]
    torch.testing.assert_close(patterns[4], crafted(network, images))
    assert row.held_out_rate == fooled(network, patterns[4])
    assert not torch.equal(patterns[4], crafted(network, images, seed=0))


def test_the_signs_of_a_comparison_under_a_seed() -> None:
    network, image = smooth_network(0), pictures(1, seed=5).float() / 255
    pattern = Perturbation("any", torch.zeros(3, SIDE, SIDE), BALL)
    *_, row = compare(network, image, pattern, [SIGNS], Bout(seed=SEED))
    signs = BALL.random_signs((3, SIDE, SIDE), seeded(SEED))
    expected = (apply(image, signs) * 255).round()[0].permute(1, 2, 0)
    assert torch.equal(torch.from_numpy(row.picture.astype("float32")), expected)


def test_the_noise_of_a_matrix_under_a_seed() -> None:
    network = smooth_network(0, spread=0.3)
    shape = (3, SIDE, SIDE)
    expected = {RANDOM_SIGNS: BALL.random_signs(shape, seeded(SEED)), GAUSSIAN: BALL.gaussian(shape, seeded(SEED))}
    found = {origin.perturbation: noise for origin, noise in noises([BALL], shape, SEED).items()}
    assert all(torch.equal(found[kind], noise) for kind, noise in expected.items())
    rows = {row.perturbation: row.fooling_rate for row in fooling_matrix({}, [network], HELD_OUT, [BALL], SEED)}
    assert rows == {kind: fooled(network, noise) for kind, noise in expected.items()}


def test_the_pattern_that_knows_the_detector_never_saw_the_test_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_entropy, "DEPTH", 1)
    network, method = convolutional_network(), Unnoticed(budget=160)
    pattern = Perturbation("any", BALL.random_signs((3, SIDE, SIDE), seeded(1)), BALL)
    found = detector_rows(network, pattern, CRAFT, HELD_OUT, method, seeded(0))
    curves = {rows[0].attack: rows[0] for rows in found if not isinstance(rows, Crafting)}
    x = HELD_OUT.images()
    areas = []
    for crafted_on in (CRAFT, HELD_OUT):
        v = crafted(network, crafted_on.pixels, method, seed=0)
        areas.append(round(auc(deep_entropy(network, x), deep_entropy(network, apply(x, v))), 4))
    assert areas[0] != areas[1], "the two would be told apart"
    assert curves[AWARE].auc == areas[0]


def test_the_aucs_interval_knows_which_number_is_whose() -> None:
    """By hand from Hanley and McNeil: A = 0.8, 60 clean and 20 attacked: Q1 = 2/3, Q2 = 0.7111, SE^2 = 4.8622 / 1200."""
    low, high = auc_interval(0.8, clean=60, attacked=20)
    assert (high - low) / 2 / 1.959964 == pytest.approx(0.063654, abs=1e-5)
    clean, attacked = torch.randn(60, generator=seeded(0)), torch.randn(20, generator=seeded(1)) - 1
    row = roc("any", clean, attacked, Rate(0, 1))[0]
    ends = auc_interval(auc(clean, attacked), clean=60, attacked=20)
    assert [row.auc_low, row.auc_high] == pytest.approx(list(ends), abs=1e-4)


def test_the_span_is_that_of_the_first_singular_vectors(linear) -> None:
    """Nine normals of ten are the boundary's own; the tenth is at right angles to it, where nothing is fooled."""
    weight = torch.zeros(2, VALUES)
    weight[0, :64], weight[1, :64] = 0.1, -0.1
    network = linear(weight, torch.tensor([0.0, 12.8 * 0.5]))
    across = torch.zeros(VALUES)
    across[64:128] = 1
    normals = torch.stack([weight[0]] * 9 + [across]).view(-1, 3, SIDE, SIDE)
    normals = normals / normals.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    clean = predict(network, HELD_OUT.batches())
    rows = subspace_rates(network, normals, HELD_OUT, clean, [2.0], seeded(0), dimensions=(1, 2))
    one, two = (row.fooling_rate.value for row in rows if row.space == SPAN)
    assert one > 0.3
    assert one > two > 0


def test_an_l2_baseline_is_searched_up_to_twice_its_own_ball(linear) -> None:
    """A boundary at an l2 length of 1, beyond 32/255: only a bound in l_inf ends there."""
    weight = torch.zeros(2, VALUES)
    weight[0], weight[1] = 1.0, -1.0
    x = torch.full((1, 3, SIDE, SIDE), 0.5)
    network = linear(weight, torch.tensor([0.0, VALUES - 2 * VALUES**0.5]))
    ball = Ball("l2", 0.7)
    pattern = Perturbation("down", ball.fill(-torch.ones(3, SIDE, SIDE)), ball)
    *_, row = compare(network, x, pattern, [UNIVERSAL], Bout(matched=False))
    assert row.verdict == FOOLED
    assert row.l2 == pytest.approx(1, abs=0.02)


def test_a_judge_that_says_the_same_before_and_after_was_not_fooled(linear) -> None:
    """What an attack changed on its own network is no change where the judge never agreed with that network."""
    network, image = smooth_network(0, spread=0.3), pictures(1, seed=3).float() / 255
    stubborn = linear(torch.zeros(5, VALUES), torch.eye(5)[(int(network(image).argmax()) + 1) % 5])
    stubborn.labels = network.labels
    pattern = Perturbation("any", BALL.random_signs((3, SIDE, SIDE), seeded(9)), BALL)
    for row in compare(network, image, pattern, [UNIVERSAL, "fgsm", "deepfool"], judge=stubborn):
        assert (row.verdict, row.png_verdict) == (HELD, HELD)
        assert row.label == stubborn.labels[int(stubborn(image).argmax())]
