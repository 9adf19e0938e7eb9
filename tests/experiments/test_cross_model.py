from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor
from toys import VALUES, ToyZoo, seeded, toy_set

from uap_core.attacks.base import Attack
from uap_core.attacks.deepfool import DeepFool
from uap_core.attacks.lbfgs import LBFGS
from uap_core.attacks.run import AttackRun
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import SettingError
from uap_core.experiments import transfer_examples as room
from uap_core.experiments.origins import GAUSSIAN, RANDOM_SIGNS, MatrixRow, Origin, origin_name
from uap_core.experiments.transfer_examples import (
    as_large,
    cross_model,
    cross_steps,
    distortion,
    made_on,
    made_to_transfer,
    whole_rows,
)
from uap_core.models.classifier import Classifier

# Far from black and white, so that nothing is clamped.
IMAGES = toy_set("some", 70, 3)
GREYS = replace(IMAGES, pixels=IMAGES.pixels // 4 + 96)


@dataclass(frozen=True)
class Brighten(Attack):
    """Adds ``step`` to every value, with one look at what came of it."""

    step: float = 0.1

    def perturb(self, run: AttackRun, generator: torch.Generator) -> Iterator[float]:
        x = run.images + self.step
        with torch.inference_mode():
            run.settle(x, run.logits(x, run.all), run.all)
        yield 1.0


def named(network: Classifier, name: str) -> Classifier:
    network.card = replace(network.card, key=name)
    return network


def table(rows: list[MatrixRow]) -> dict[tuple[Origin, str], MatrixRow]:
    found = {(row.origin, row.network): row for row in rows}
    assert len(found) == len(rows)
    return found


def two_classes(linear, direction: Tensor) -> Classifier:
    """Says 1 where ``direction`` . x is above its mean over the images."""
    scores = GREYS.images(slice(None)).flatten(1) @ direction
    return linear(torch.stack([-direction, direction]), torch.tensor([1.0, -1.0]) * scores.mean())


def orthogonal() -> tuple[Tensor, Tensor]:
    first, second = torch.randn(2, VALUES, generator=seeded(0)).unbind()
    return first, second - first * (first @ second) / first.square().sum()


def test_one_boundary_transfers_always_and_an_orthogonal_one_never(linear) -> None:
    first, second = orthogonal()
    source, twin, other = (
        named(two_classes(linear, direction), name)
        for direction, name in ((first, "source"), (3 * first, "twin"), (second, "other"))
    )
    cells = table(list(cross_model([source, twin, other], GREYS, DeepFool(), "deepfool", 0)))
    for made in ("source", "twin"):
        assert cells[made_on(DeepFool(), "deepfool", made), "source"].fooling_rate.value == 1
        assert cells[made_on(DeepFool(), "deepfool", made), "twin"].fooling_rate.value == 1
        assert cells[made_on(DeepFool(), "deepfool", made), "other"].fooling_rate.value < 0.05
    assert cells[made_on(DeepFool(), "deepfool", "other"), "other"].fooling_rate.value == 1
    assert {row.network for (origin, _), row in cells.items() if row.crafted_on and origin.made_on == "twin"} == {"twin"}


def test_deepfools_distortion_is_the_distance_to_the_boundary(linear) -> None:
    first, second = orthogonal()
    source, other = named(two_classes(linear, first), "source"), named(two_classes(linear, second), "other")
    scores = GREYS.images(slice(None)).flatten(1) @ first
    distances = (scores - scores.mean()).abs() / first.norm()
    rows = table(list(cross_model([source, other], GREYS, DeepFool(overshoot=0.02), "deepfool", 0)))
    expected = 1.02 * float(distances.mean()) / math.sqrt(VALUES)
    assert rows[made_on(DeepFool(), "deepfool", "source"), "other"].distortion == pytest.approx(expected, rel=0.01)


def test_distortion_by_hand() -> None:
    change = torch.zeros(3, 3, 2, 2)
    change[1] = 0.25
    change[2, 0, 0, 0] = 0.6
    assert distortion(change).tolist() == pytest.approx([0, 0.25, 0.6 / math.sqrt(12)])


def test_noise_is_as_large_as_the_largest_examples_and_fresh_for_each_image(zoo: ToyZoo, monkeypatch) -> None:
    seen: list[Tensor] = []
    predict = room.predict

    def watched(network: Classifier, batches: list[Tensor]) -> Tensor:
        seen.extend(batches)
        return predict(network, batches)

    monkeypatch.setattr(room, "predict", watched)
    networks = list(zoo.networks.values())
    known = {made_on(Brighten(), "x", "one"): 0.03, made_on(Brighten(), "x", "two"): 0.05}
    rows = table(list(cross_model(networks, GREYS, Brighten(), "x", 0, known)))
    assert set(rows) == {
        (as_large(kind, Brighten(), "x"), name) for kind in (RANDOM_SIGNS, GAUSSIAN) for name in ("one", "two")
    }
    assert all(row.distortion == pytest.approx(0.05, rel=1e-3) and not row.crafted_on for row in rows.values())
    changes = torch.cat(seen[::2]) - torch.cat([GREYS.images(slice(None))] * 2)
    torch.testing.assert_close(distortion(changes), torch.full((140,), 0.05), rtol=1e-3, atol=0)
    signs, gaussian = changes.split(70)
    torch.testing.assert_close(signs.abs(), torch.full_like(signs, 0.05), rtol=1e-3, atol=1e-6)
    assert float(gaussian.abs().max()) > 0.12
    assert len({bytes(image.numpy()) for image in changes}) == 140


class Counting(torch.nn.Module):
    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network, self.images = network, 0

    def forward(self, x: Tensor) -> Tensor:
        self.images += len(x)
        return self.network(x)


def test_one_forward_pass_an_image_an_example_and_a_network(zoo: ToyZoo) -> None:
    networks = list(zoo.networks.values())
    for network in networks:
        network.network = Counting(network.network)
    list(cross_model(networks, IMAGES, Brighten(), "x", 0))
    # Clean, its own examples (the attack's one look), the other's, and two kinds of noise.
    assert [network.network.images for network in networks] == [5 * len(IMAGES)] * 2


def test_what_is_known_is_left_out_and_the_rest_comes_out_the_same(zoo: ToyZoo) -> None:
    networks = list(zoo.networks.values())
    whole = list(cross_model(networks, IMAGES, Brighten(), "x", 0))
    begun = whole[:2]
    known = whole_rows(begun, ["one", "two"])
    assert set(known) == {made_on(Brighten(), "x", "one")}
    assert begun + list(cross_model(networks, IMAGES, Brighten(), "x", 0, known)) == whole
    assert whole_rows(whole[:3], ["one", "two"]) == known, "a row that lacks a network is not whole"
    assert list(cross_model(networks, IMAGES, Brighten(), "x", 1))[:4] == whole[:4]
    assert next(cross_model(networks, IMAGES, Brighten(0.0), "x", 0)).fooling_rate.count == 0


def test_the_size_of_a_batch_changes_nothing(zoo: ToyZoo, monkeypatch) -> None:
    networks = list(zoo.networks.values())
    rows = list(cross_model(networks, GREYS, Brighten(), "x", 0))
    monkeypatch.setattr(room, "BATCH", 7)
    again = list(cross_model(networks, GREYS, Brighten(), "x", 0))
    assert [replace(row, distortion=None) for row in again] == [replace(row, distortion=None) for row in rows]
    assert [row.distortion for row in again] == pytest.approx([row.distortion for row in rows], rel=1e-6)


def test_one_hears_after_each_batch_and_may_leave(zoo: ToyZoo) -> None:
    networks = list(zoo.networks.values())
    steps = list(cross_steps(networks, GREYS, Brighten(), "x", 0, batch_size=14))
    shares = [step for step in steps if isinstance(step, float)]
    assert shares == pytest.approx([(origin + batch / 5) / 4 for origin in range(4) for batch in range(1, 6)])
    assert [step for step in steps if not isinstance(step, float)] == list(cross_model(networks, GREYS, Brighten(), "x", 0))


def test_each_image_is_attacked_away_from_what_its_network_says_of_it(zoo: ToyZoo, monkeypatch) -> None:
    """In every batch, the later ones too."""
    given = []
    monkeypatch.setattr(Brighten, "perturb", lambda self, run, generator: given.append(run) or iter(()))
    list(cross_model(list(zoo.networks.values()), IMAGES, Brighten(), "x", 0))
    assert len(given) == 2 * 3
    for run in given:
        assert torch.equal(run.criterion.labels, room.predict(run.classifier, [run.images]))


def test_an_attack_that_needs_a_target_aims_at_the_runner_up(zoo: ToyZoo) -> None:
    few: ImageSet = GREYS.prefix(3)
    rows = list(cross_model(list(zoo.networks.values())[:1], few, LBFGS(2, 10), "lbfgs", 0))
    assert rows[0].fooling_rate.value == 1


def test_attacks_of_the_menu_that_shall_reach_another_network() -> None:
    attack = made_to_transfer("pgd", 8 / 255)
    assert (attack.epsilon, attack.all_steps) == (8 / 255, True)
    with pytest.raises(SettingError, match=r"no attack .nobody.\. Known: fgsm, "):
        made_to_transfer("nobody", 0.1)


def test_examples_and_noise_have_names() -> None:
    pgd, names = made_to_transfer("pgd", 8 / 255), {"one": "One"}
    assert origin_name(made_on(pgd, "pgd", "one"), names) == "PGD 8/255, made on One"
    assert origin_name(made_on(DeepFool(), "deepfool", "stranger"), names) == "DeepFool, made on stranger"
    assert origin_name(as_large(RANDOM_SIGNS, DeepFool(), "deepfool"), names) == "random signs, as large as by DeepFool"
    assert origin_name(as_large(GAUSSIAN, pgd, "pgd"), names) == "Gaussian noise, as large as by PGD 8/255"
