"""The room "From learning to attacking": its arithmetic equals torch's, and its buttons do what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

STATIC = Path(__file__).resolve().parents[2] / "uap_core" / "ui" / "static"
NET = (STATIC / "learning_net.js").read_text(encoding="utf-8")
ACTIVATIONS = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
ASK = """([kind, hidden]) => {
  const N = uapNet, points = N.moons(40, 3), net = N.begin(hidden, kind, 5), x = [0.4, 0.1];
  return {net, points, mean: N.meanGradient(net, points), one: N.backward(net, x, 1), next: N.learn(net, points, 0.3),
          moved: N.attack(net, x, 1, 0.3, x, '', 0), near: N.finiteDifference(net, points, 'W1', 2, 1),
          l2: N.attack(net, x, 1, 50, x, 'l2', 0.25), linf: N.attack(net, x, 1, 50, x, 'linf', 0.25)};
}"""


@pytest.fixture(scope="module")
def arithmetic(browser) -> Any:
    blank = browser.new_page()
    blank.add_script_tag(content=NET)
    yield blank
    blank.close()


def autograd(found: dict[str, Any], kind: str) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """By the weights of the mean loss over the points, and by x of the loss at [0.4, 0.1]: what torch says."""
    net = {name: torch.tensor(found["net"][name], dtype=torch.double, requires_grad=True) for name in ("W1", "b1", "W2", "b2")}

    def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        hidden = ACTIVATIONS[kind](x @ net["W1"].T + net["b1"])
        return F.cross_entropy(hidden @ net["W2"].T + net["b2"], y)

    x = torch.tensor([point["x"] for point in found["points"]], dtype=torch.double)
    y = torch.tensor([point["y"] for point in found["points"]])
    gradients = dict(zip(net, torch.autograd.grad(loss(x, y), list(net.values())), strict=True))
    place = torch.tensor([[0.4, 0.1]], dtype=torch.double, requires_grad=True)
    return gradients, torch.autograd.grad(loss(place, torch.tensor([1])), place)[0][0]


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_both_derivatives_are_torchs_and_both_steps_follow_them(arithmetic, kind: str) -> None:
    found = arithmetic.evaluate(ASK, [kind, 7])
    weights, place = autograd(found, kind)
    for name, gradient in weights.items():
        mine = torch.tensor(found["mean"][name], dtype=torch.double)
        assert (mine - gradient).abs().max() < 1e-5, name
        after = torch.tensor(found["net"][name], dtype=torch.double) - 0.3 * gradient
        assert (torch.tensor(found["next"][name], dtype=torch.double) - after).abs().max() < 1e-5, "learning goes down"
    assert (torch.tensor(found["one"]["x"], dtype=torch.double) - place).abs().max() < 1e-5
    start = torch.tensor([0.4, 0.1], dtype=torch.double)
    assert (torch.tensor(found["moved"], dtype=torch.double) - (start + 0.3 * place)).abs().max() < 1e-5, "an attack goes up"
    assert abs(found["near"] - float(weights["W1"][2, 1])) < 1e-4
    assert torch.dist(torch.tensor(found["l2"]), start.float()) <= 0.25 + 1e-6
    assert (torch.tensor(found["linf"]) - start).abs().max() <= 0.25 + 1e-6


@pytest.fixture(scope="module")
def room(browser, server: str) -> Any:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(server)
    page.wait_for_selector("#go-learning", state="attached")
    page.evaluate("document.querySelector('#go-learning').click()")
    page.wait_for_selector(".learning [data-weight]")
    yield page
    page.close()


def texts(room, *parts: str) -> list[str]:
    return [room.text_content(f'.learning [data-part="{part}"]') for part in parts]


def test_an_attack_carries_x_over_the_boundary_and_back_it_goes(room) -> None:
    assert "the network says so" in texts(room, "verdict")[0]
    room.click('[data-do="attack 10"]')
    assert "Fooled" in texts(room, "verdict")[0]
    room.click('[data-do="back"]')
    assert "the network says so" in texts(room, "verdict")[0]
    room.select_option('[name="learning-ball"]', "linf")
    room.evaluate("() => { const r = document.querySelector('[name=learning-radius]'); r.value = 0.05; }")
    room.click('[data-do="attack 10"]')
    assert "0.05 (l_inf)" in texts(room, "verdict")[0], "it stays within the ball"
    room.select_option('[name="learning-ball"]', "")
    room.click('[data-do="back"]')


def test_a_weight_says_its_derivative_twice(room) -> None:
    room.click(".learning [data-weight] >> nth=2")
    said = texts(room, "derivative")[0]
    by, near = (float(said.split(after)[0].split()[-1].replace("−", "-")) for after in (" by backpropagation", " by (J("))
    assert by != 0
    assert by == pytest.approx(near, rel=1e-3)


def test_a_step_is_quick(room) -> None:
    """A click, arithmetic and drawing: under 100 ms at the 95th percentile."""
    took = []
    for number in range(20):
        room.click('[data-do="learn 10"]' if number % 2 else '[data-do="attack 1"]')
        took.append(float(room.get_attribute(".learning", "data-ms")))
        room.click('[data-do="back"]')
    assert sorted(took)[18] < 100, took


@pytest.mark.parametrize(
    ("field", "value", "then", "said"),
    [
        ("learning-rate", "1e6", '[data-do="learn 10"]', "diverges"),
        ("learning-rate", "", '[data-do="learn 10"]', "above 0"),
        ("learning-rate", "-1", '[data-do="attack 1"]', "above 0"),
        ("learning-hidden", "0", None, "from 1 to 64"),
        ("learning-hidden", "2.5", None, "from 1 to 64"),
    ],
)
def test_bad_input_is_a_sentence_and_the_last_network_stays(room, field: str, value: str, then: str | None, said: str) -> None:
    before = texts(room, "mean", "weights")
    kept = room.input_value(f'[name="{field}"]')
    room.fill(f'[name="{field}"]', value)
    room.press(f'[name="{field}"]', "Tab")
    if then:
        room.click(then)
    assert said in texts(room, "said")[0]
    assert room.is_visible('.learning [data-part="said"]')
    assert texts(room, "mean", "weights") == before
    room.fill(f'[name="{field}"]', kept)
    room.click('[data-do="learn 10"]')
    assert texts(room, "mean") != before[:1], "and it goes on"


def test_a_network_that_has_not_learnt_is_not_attacked(room) -> None:
    """Of a network as it begins, some place that it misreads: an attack there says so, and does not move x."""
    room.click('[data-do="again"]')
    box = room.locator(".learning canvas").bounding_box()
    for across in range(1, 16):
        room.mouse.click(box["x"] + box["width"] * across / 16, box["y"] + box["height"] * 0.35)
        if "wrong without any attack" in texts(room, "verdict")[0]:
            break
    before = json.dumps(texts(room, "own"))
    room.click('[data-do="attack 1"]')
    assert "has not learnt this place" in texts(room, "said")[0]
    assert json.dumps(texts(room, "own")) == before
