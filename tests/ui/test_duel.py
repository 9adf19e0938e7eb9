"""The game of two networks in the page: its slopes against Torch, its numbers against closed forms, its fate with bad rates."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from in_node import in_node
from torch import nn
from torch.nn import functional as F

REAL = "[{mean: -2, spread: 0.5}, {mean: 1.5, spread: 0.7}]"
BEGIN = f"const D = globalThis.uapDuel, game = D.start(3, {REAL});"
X = np.linspace(-6, 6, 241)


def bell(mean: float, spread: float) -> np.ndarray:
    return np.exp(-((X - mean) ** 2) / 2 / spread**2) / spread / math.sqrt(2 * math.pi)


def as_torch(net: dict, bend: nn.Module) -> nn.Sequential:
    """The same network, from the page's sizes and weights."""
    sizes, weights = net["sizes"], torch.tensor(net["weights"], dtype=torch.float64)
    parts: list[nn.Module] = []
    for ins, outs in pairwise(sizes):
        layer = nn.Linear(ins, outs, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(weights[: ins * outs].view(outs, ins))
            layer.bias.copy_(weights[ins * outs : (ins + 1) * outs])
        weights = weights[(ins + 1) * outs :]
        parts += [layer, bend]
    return nn.Sequential(*parts[:-1])


def flat_slopes(net: nn.Module) -> np.ndarray:
    return torch.cat([p.grad.flatten() for p in net.parameters()]).numpy()  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def slopes() -> dict:
    script = """
    const sent = (net, sizes) => ({ sizes, weights: Array.from(net.weights) });
    const told = { g: sent(game.g, [2, 24, 24, 1]), d: sent(game.d, [1, 32, 32, 1]) };
    const z = Float64Array.from({ length: 10 }, () => game.random.normal()), blur = Float64Array.from([.1, -.1, 0, .2, .05]);
    const x = Float64Array.from([-2, 1.4, 0.3, -1.1, 2]), made = D.forward(game.g, z, 5).slice();
    told.z = Array.from(z); told.blur = Array.from(blur); told.x = Array.from(x);
    told.v = D.slopesD(game.d, x, made); told.slopesD = Array.from(game.d.grads); game.d.grads.fill(0);
    for (const loss of ["minmax", "other"]) {
      told[loss] = D.slopesG(game.g, game.d, z, blur, loss);
      told[`${loss}Slopes`] = Array.from(game.g.grads); game.g.grads.fill(0);
    }
    tell(told);
    """
    return in_node(BEGIN + script, "duel_core")


def test_both_steps_have_the_slopes_of_torch(slopes: dict) -> None:
    g, d = as_torch(slopes["g"], nn.Tanh()), as_torch(slopes["d"], nn.LeakyReLU(0.2))
    z, x, blur = (torch.tensor(slopes[name], dtype=torch.float64) for name in ("z", "x", "blur"))
    made = g(z.view(5, 2))
    value = F.logsigmoid(d(x[:, None])).mean() + F.logsigmoid(-d(made.detach())).mean()
    (-value).backward()
    assert slopes["v"] == pytest.approx(float(value.detach()), abs=1e-9)
    np.testing.assert_allclose(slopes["slopesD"], flat_slopes(d), atol=1e-10)
    for loss, sign in (("minmax", 1), ("other", -1)):
        g.zero_grad()
        wanted = sign * F.logsigmoid(-sign * d(g(z.view(5, 2)) + blur[:, None])).mean()
        wanted.backward()
        assert slopes[loss] == pytest.approx(float(wanted.detach()), abs=1e-9)
        np.testing.assert_allclose(slopes[f"{loss}Slopes"], flat_slopes(g), atol=1e-10)


def test_the_min_max_slope_is_that_of_finite_differences() -> None:
    script = """
    const z = Float64Array.from({ length: 8 }, () => game.random.normal()), blur = new Float64Array(4);
    const found = [];
    D.slopesG(game.g, game.d, z, blur, "minmax");
    const exact = Array.from(game.g.grads);
    for (const i of [0, 5, 60, 200, 600, exact.length - 1]) {
      const value = (by) => {
        game.g.weights[i] += by;
        const made = D.forward(game.g, z, 4), logits = D.forward(game.d, made, 4);
        game.g.weights[i] -= by;
        return logits.reduce((sum, l) => sum + Math.log(1 - 1 / (1 + Math.exp(-l))) / 4, 0);
      };
      found.push([exact[i], (value(1e-5) - value(-1e-5)) / 2e-5]);
    }
    tell(found);
    """
    for exact, numerical in in_node(BEGIN + script, "duel_core"):
        assert exact == pytest.approx(numerical, abs=1e-8)


def test_what_theory_says_against_numerical_integration() -> None:
    """V with D* in it is 2 JS - log 4; for two separate hills JS is log 2, for equal ones 0."""
    script = """
    const p = %s, q = %s, best = p.map((a, i) => a + q[i] > 0 ? a / (a + q[i]) : 0.5);
    tell([D.worth({ p, q, d: best }), D.worth({ p, q: p, d: p.map(() => 0.5) })]);
    """
    p, q = (bell(-2, 0.5) + bell(1.5, 0.7)) / 2, bell(0.5, 1.0)
    ours, equal = in_node(BEGIN + script % (p.tolist(), q.tolist()), "duel_core")
    mean = (p + q) / 2
    kl = [float(np.trapezoid(part * np.log(part / mean), X)) for part in (p, q)]
    best = p / (p + q)
    value = float(np.trapezoid(p * np.log(best) + q * np.log(1 - best), X))
    assert (ours["klP"], ours["klQ"]) == pytest.approx(tuple(kl), abs=1e-4)
    assert ours["js"] == pytest.approx(sum(kl) / 2, abs=1e-4)
    assert ours["value"] == pytest.approx(value, abs=1e-4)
    assert ours["real"] == pytest.approx(float(np.trapezoid(p * np.log(best), X)), abs=1e-4)
    assert ours["made"] == pytest.approx(float(np.trapezoid(q * np.log(1 - best), X)), abs=1e-4)
    assert ours["top"] == pytest.approx(2 * sum(kl) / 2 - math.log(4), abs=1e-4)
    assert ours["value"] == pytest.approx(ours["top"], abs=1e-4)
    assert ours["gap"] == pytest.approx(0, abs=1e-9)
    assert (equal["js"], equal["value"]) == pytest.approx((0, -math.log(4)), abs=1e-4)


def test_training_d_alone_reaches_the_top_and_both_together_the_data() -> None:
    script = """
    for (let i = 0; i < 250; i++) D.stepD(game, 2e-3);
    const alone = D.worth(D.curves(game));
    for (let i = 0; i < 700; i++) D.round(game, { perG: 2, rateD: 2e-3, rateG: 1e-3, loss: "minmax" });
    tell([alone, D.worth(D.curves(game)), D.missed(D.curves(game))]);
    """
    alone, end, missed = in_node(BEGIN + script, "duel_core")
    assert alone["js"] > 0.4
    assert alone["top"] - 0.02 < alone["value"] < alone["top"] + 0.01
    assert end["js"] < 0.1
    assert end["gap"] < 0.15
    assert missed < 0.1


def test_the_seed_decides_and_wild_rates_are_noticed() -> None:
    script = """
    const play = (seed, rate) => { const g = D.start(seed, game.real);
      for (let i = 0; i < 20; i++) D.round(g, { perG: 1, rateD: rate, rateG: rate, loss: "other" }); return g; };
    const weights = (g) => Array.from(g.d.weights);
    tell([[1, 1, 2].map((seed) => weights(play(seed, 1e-3))), [1e-3, 10, 1e200].map((rate) => D.sound(play(0, rate)))]);
    """
    (first, again, other), sound = in_node(BEGIN + script, "duel_core")
    assert first == again != other
    assert sound == [True, False, False]


def test_a_hill_of_any_width_stays_on_the_axis() -> None:
    """So that V with the best D is 2 JS - log 4 wherever the visitor puts the hills."""
    script = """
    tell([0.2, 0.5, 1.2].map((spread) => {
      const far = D.reach(spread), moved = D.start(3, [{ mean: -far, spread }, { mean: far, spread }]), seen = D.curves(moved);
      const { value, top } = D.worth({ ...seen, d: seen.best.map((a) => a ?? 0.5) });
      return { far, drawn: seen.p.reduce((sum, a) => sum + a * D.STEP, 0), value, top };
    }));
    """
    found = in_node(BEGIN + script, "duel_core")
    assert [hill["far"] for hill in found] == sorted((hill["far"] for hill in found), reverse=True)
    assert found[0]["far"] == 5
    for hill in found:
        assert hill["drawn"] == pytest.approx(1, abs=0.01)
        assert hill["value"] == pytest.approx(hill["top"], abs=0.01)
