"""The two calls of the public API."""

from __future__ import annotations

import pytest
import torch
from toys import SIDE, VALUES, pictures, seeded, smooth_network, toy_set

from uap_core import FGSM, SPGD, Ball, CarliniWagner, apply, attack, craft, evaluate, load_perturbation, wrap
from uap_core.errors import ModelError, PerturbationError, SettingError
from uap_core.metrics import fooling_rate
from uap_core.perturbations.perturbation import Perturbation


def test_craft_gives_a_pattern_that_fools_and_says_how_it_was_made() -> None:
    network, images = smooth_network(0), toy_set("mine", 32, 0)
    v = craft(network, images, epsilon=0.2, budget=256, seed=3, name="Mine")
    assert isinstance(v, Perturbation)
    assert (v.name, v.ball) == ("Mine", Ball("linf", 0.2))
    clean = network(images.images()).argmax(dim=1)
    fooled = fooling_rate(clean, network(v.apply(images.images())).argmax(dim=1))
    assert fooled.value >= 0.5
    said = v.provenance
    assert (said["network"], said["weights_sha256"]) == ("smooth0", "0")
    assert (said["method"], said["settings"]["budget"], said["seed"]) == ("default", 256, 3)
    assert said["craft_set"] == "32 images of mine"
    assert torch.equal(craft(network, images, epsilon=0.2, budget=256, seed=3).pattern, v.pattern)
    assert not torch.equal(craft(network, images, epsilon=0.2, budget=256, seed=4).pattern, v.pattern)


def test_craft_takes_modules_tensors_methods_targets_and_ensembles() -> None:
    network, other = smooth_network(0), smooth_network(1)
    v = craft((network.network, other), pictures(16).float() / 255, 9.0, "l2", method=SPGD(budget=64))
    assert v.ball.p == "l2"
    assert v.norms.l2 <= 9.0
    assert v.provenance["network"] == "Sequential, smooth1"
    assert (v.provenance["method"], v.provenance["settings"]) == ("spgd", {"budget": 64})
    named, numbered = (craft(network, pictures(16), target=target, budget=64) for target in ("c", 2))
    assert torch.equal(named.pattern, numbered.pattern)
    assert named.provenance["target"] == "c"
    with pytest.raises(ModelError, match="no class 'z'"):
        craft(network, pictures(16), target="z")
    with pytest.raises(SettingError, match="no method"):
        craft(network, pictures(16), method="magic")
    with pytest.raises(SettingError, match="needs a network"):
        craft((), pictures(16))


def test_craft_repeats_a_tile_where_pictures_are_large() -> None:
    module = torch.nn.Sequential(torch.nn.AvgPool2d(32), torch.nn.Flatten(), torch.nn.Linear(3 * 4 * 5, 3))
    large = torch.randint(0, 256, (4, 3, 128, 160), dtype=torch.uint8, generator=seeded(0))
    said = craft(module, large, budget=8).provenance["settings"]
    assert (said["tiles"], said["batch_size"]) == (4, 4)
    assert "tiles" not in craft(module, large, budget=8, method="spgd").provenance["settings"]


def test_attack_leaves_what_is_seen_unless_told_otherwise() -> None:
    network, x = smooth_network(0), pictures(6).float() / 255
    seen = network(x).argmax(dim=1)
    result = attack(network.network, x, epsilon=0.1)
    assert torch.equal(result.success, result.labels != seen)
    assert result.success.any()
    assert result.linf.max() <= 0.1 + 1e-6
    assert torch.equal(attack(network, x, seen, FGSM(0.1)).adversarial, FGSM(0.1)(network, x, seen).adversarial)
    aimed = attack(network, x, target="b", method="carlini-wagner")
    assert torch.equal(aimed.success, aimed.labels == 1)
    assert aimed.success.any()
    already = seen == 1
    assert (aimed.l2[already] == 0).all()
    each = attack(network, x, target=torch.full((6,), 1), method=CarliniWagner(3, 15))
    assert torch.equal(each.adversarial, aimed.adversarial)


def test_attack_says_what_it_cannot_do() -> None:
    network, x = smooth_network(0), pictures(2).float() / 255
    with pytest.raises(SettingError, match="no attack 'magic'"):
        attack(network, x, method="magic")
    with pytest.raises(SettingError, match="not both"):
        attack(network, x, torch.tensor([0, 0]), target=1)
    with pytest.raises(SettingError, match="takes images"):
        attack(network, pictures(2))
    with pytest.raises(SettingError, match="between 0 and 1"):
        attack(network.network, x * 255)
    with pytest.raises(SettingError, match="choose a target"):
        attack(network, x, method="lbfgs")
    assert len(attack(network, x[:0]).success) == 0


def test_apply_takes_patterns_and_perturbations() -> None:
    x, v = torch.rand(4, 3, SIDE, SIDE, generator=seeded(0)), torch.full((3, SIDE, SIDE), 0.3)
    known = torch.minimum(x + 0.3, torch.ones(()))
    torch.testing.assert_close(apply(x, v), known)
    torch.testing.assert_close(apply(x, Perturbation("v", v, Ball("linf", 0.3))), known)
    each = torch.linspace(-1, 1, 4).view(4, 1, 1, 1)
    torch.testing.assert_close(apply(x, each), torch.stack([(a + b).clamp(0, 1) for a, b in zip(x, each, strict=True)]))
    with pytest.raises(PerturbationError, match="resizing would destroy"):
        apply(x, Perturbation("v", v[:, 1:], Ball("linf", 0.3)))


def test_a_bare_module_is_measured() -> None:
    network, images = smooth_network(0), toy_set("mine", 16, 0)
    v = craft(network, images, epsilon=0.2, budget=64)
    assert evaluate(network.network, v, images).universal == evaluate(network, v, images).universal
    assert v.pattern.numel() == VALUES
    assert wrap(network.network, labels=tuple("vwxyz")).index_of("z") == 4


def test_patterns_that_ship_go_by_their_names(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_perturbation("resnet64-linf10").pattern.equal(load_perturbation("resnet64-linf10.safetensors").pattern)
    for name in ("nothing-of-the-kind", "elsewhere/resnet64-linf10"):
        with pytest.raises(PerturbationError):
            load_perturbation(name)
    (tmp_path / "resnet64-linf10").write_bytes(b"mine")
    with pytest.raises(PerturbationError):
        load_perturbation("resnet64-linf10")
