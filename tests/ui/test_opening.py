from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from uap_core.assets import PERTURBATIONS
from uap_core.experiments.exhibit import exhibit
from uap_core.images import SAMPLE_PHOTOS, preprocess
from uap_core.perturbation import load_perturbation
from uap_core.ui.opening import OPENING, load_opening


def test_the_first_view_is_what_the_network_says_now(classifier) -> None:
    opening = load_opening()
    assert opening is not None
    stored = json.loads(OPENING.read_text())
    photo = next(photo for photo in SAMPLE_PHOTOS if photo.key == stored["photo"])
    image = preprocess(photo.open(), classifier.card.resize_size, classifier.size)
    live = exhibit(classifier, image, load_perturbation(PERTURBATIONS / stored["pattern"]))
    assert (opening.view.clean == live.clean).all()
    assert (opening.view.perturbed == live.perturbed).all()
    for shown, computed in ((opening.view.before, live.before), (opening.view.after, live.after)):
        assert [label for label, _ in shown] == [label for label, _ in computed]
        assert np.allclose([p for _, p in shown], [p for _, p in computed], atol=1e-3)
    assert opening.view.psnr == pytest.approx(live.psnr)
    assert opening.view.ssim == pytest.approx(live.ssim)
    assert live.fooled  # the page opens with a success


@pytest.mark.parametrize("entry", ["weights_sha256", "pattern_sha256"])
def test_a_view_measured_on_something_else_is_not_shown(tmp_path: Path, entry: str) -> None:
    stored = json.loads(OPENING.read_text()) | {entry: "0" * 64}
    path = tmp_path / "opening.json"
    path.write_text(json.dumps(stored))
    assert load_opening(path) is None
