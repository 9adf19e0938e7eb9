"""The calls for programs: what is listed, what each gives, and that nothing else is offered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from pictures import encoded, noise
from PIL import Image
from running import ROOT, Running
from visitor import Visitor

from uap_core import load_model
from uap_core.experiments.apply import exhibit
from uap_core.images.reading import preprocess
from uap_core.perturbations.library import library
from uap_core.perturbations.perturbation import load_perturbation

PATTERN = "resnet64-linf10.safetensors"


@pytest.fixture(scope="module")
def client(app: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A program that calls the app."""
    client = Client(app.address, verbose=False, download_files=str(tmp_path_factory.mktemp("fetched")))
    yield client
    client.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture of noise, larger than the network's."""
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(noise(3, 90, 120)))
    return path


def test_these_calls_are_listed_and_described_and_no_other(visitor: Visitor) -> None:
    info = visitor.http.get("/gradio_api/info").json()
    assert set(info["named_endpoints"]) == {"/list_networks", "/list_patterns", "/apply_pattern"}
    assert info["unnamed_endpoints"] == {}
    for name, call in info["named_endpoints"].items():
        assert len(call["description"]) > 40, name
    names = [part["parameter_name"] for part in info["named_endpoints"]["/apply_pattern"]["parameters"]]
    assert names == ["photo", "network", "pattern", "epsilon"]
    visible = {found["api_name"] for found in visitor.config["dependencies"] if found["api_visibility"] != "private"}
    assert visible == {"list_networks", "list_patterns", "apply_pattern"}


@pytest.mark.parametrize("version", ["", "v2/"])
def test_nothing_else_is_called_by_its_name(visitor: Visitor, version: str) -> None:
    """Such a call would pass by the check of choices, and by its lane."""
    public = {"list_networks", "list_patterns", "apply_pattern"}
    private = {found["api_name"] for found in visitor.config["dependencies"] if found["api_name"]} - public
    assert {"look_apply", "craft", "get_it"} <= private
    numbers = {found["api_name"]: found["id"] for found in visitor.config["dependencies"]}
    for name in sorted(private | {"nobody", "v2"}):
        for body in ({"data": []}, {"data": [], "fn_index": numbers["list_networks"]}):
            answer = visitor.http.post(f"/gradio_api/call/{version}{name}", json=body)
            assert (answer.status_code, answer.text) == (404, "There is nothing here."), name
    asked = {"list_networks": [], "list_patterns": ["resnet64"]}
    for name, data in asked.items():
        body = {"network": "resnet64"} if version and data else {} if version else {"data": data, "fn_index": [1]}
        assert visitor.http.post(f"/gradio_api/call/{version}{name}", json=body).status_code == 200, name


def test_networks_and_patterns_are_those_of_the_page(client: Client) -> None:
    networks = {found["key"]: found for found in client.predict(api_name="/list_networks")}
    assert networks["resnet64"] == {"key": "resnet64", "name": "ResNet-64 (built in)", "size": 64, "classes": 100}
    patterns = {found["key"]: found for found in client.predict(network="resnet64", api_name="/list_patterns")}
    assert set(patterns) == {entry.key for entry in library() if entry.side == 64} | {"random-signs"}
    assert (patterns[PATTERN]["norm"], patterns[PATTERN]["epsilon"]) == ("linf", 10)
    assert (patterns["resnet64-l2.safetensors"]["norm"], patterns["resnet64-l2.safetensors"]["epsilon"]) == ("l2", 2000)


@pytest.mark.parametrize("epsilon", [0, 3.5, 10])
def test_a_pattern_is_applied_as_the_package_does(client: Client, photo: Path, epsilon: float) -> None:
    said, picture = client.predict(handle_file(str(photo)), "resnet64", PATTERN, epsilon, api_name="/apply_pattern")
    pattern = load_perturbation(ROOT / "assets" / "perturbations" / PATTERN).scaled_to(epsilon / 255)
    classifier = load_model("resnet64")
    card = classifier.card
    view = exhibit(classifier, preprocess(Image.open(photo), card.resize_size, card.input_size, card.interpolation), pattern)
    assert np.array_equal(np.asarray(Image.open(picture)), view.perturbed)
    assert said["before"] == pytest.approx(dict(view.before), abs=1e-5)  # other threads, other rounding
    assert said["after"] == pytest.approx(dict(view.after), abs=1e-5)
    assert said["fooled"] == view.fooled
    assert said["linf"] == pytest.approx(view.linf * 255, abs=1e-3)
    assert said["l2"] == pytest.approx(view.l2 * 255, abs=0.1)


def test_mistakes_are_answered_in_a_sentence(client: Client, photo: Path) -> None:
    good = [handle_file(str(photo)), "resnet64", PATTERN, 10]
    secret = {"path": str(ROOT / "assets" / "screenshot-craft.png")}
    for place, value, sentence in (
        (0, "photo.png", "Send a picture as a file"),
        (0, None, "Send a picture as a file"),
        (0, secret, "This picture is not here"),
        (0, handle_file(str(ROOT / "README.md")), "not a picture"),
        (1, "nobody", "There is no network called 'nobody'"),
        (1, ["resnet64"], "must be words"),
        (2, "own:mine", "no longer there"),
        (2, {"a": 1}, "must be words"),
        (3, 33, "The strength must lie between"),
        (3, "ten", "The strength must lie between"),
        (3, None, "The strength must lie between"),
    ):
        wrong = [*good[:place], value, *good[place + 1 :]]
        with pytest.raises(AppError, match=re.escape(sentence)) as caught:
            client.predict(*wrong, api_name="/apply_pattern")
        assert "Traceback" not in str(caught.value)


def test_the_documentation_says_it_rightly(app: Running, photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its example runs as it stands, with this app's address and another picture."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    found = re.search(r"## A page that is open, called from a program.*?```python\n(.*?)```", text, re.DOTALL)
    assert found
    code = found[1].replace("http://127.0.0.1:7860", app.address).replace('"photo.jpg"', repr(str(photo)))
    exec(compile(code, "api.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "ResNet-64 (built in)" in printed
    assert PATTERN in printed
    assert re.search(r"True|False", printed)
