"""What ships was made by today's recipes: told from ids and settings, without networks or photographs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from to_come import TO_COME

from uap_core.datasets.image_sets import ImageSet
from uap_core.defences.names import defence_name
from uap_core.experiments import detector, directions, normals
from uap_core.experiments import epsilon_sweep as sweep
from uap_core.experiments.ablations import AblationRow, variant_name
from uap_core.experiments.certified_radius import LayerRow
from uap_core.experiments.defences import DefenceRow
from uap_core.experiments.detector import DetectorRow
from uap_core.experiments.directions import DirectionRow
from uap_core.experiments.disjoint_training import LEARNER_NAMES
from uap_core.experiments.epsilon_sweep import SweepRow
from uap_core.experiments.first_view import load_opening
from uap_core.experiments.networks import EMBEDDED, SEVEN
from uap_core.experiments.normals import SingularRow, SubspaceRow
from uap_core.experiments.origins import MatrixRow, origin_name
from uap_core.identity import identity
from uap_core.io.paths import GENERATORS, PERTURBATIONS, RESULTS, dreams_path
from uap_core.io.results import read_table
from uap_core.models.names import ELSEWHERE, network_names
from uap_core.models.zoo import Zoo
from uap_core.perturbations.library import library
from uap_core.precompute.materials import Job, Materials
from uap_core.precompute.plan import PARTS, jobs
from uap_core.training.class_impressions import Dreamer

CARDS = Path(__file__).parent / "cards"
SOURCES = {64: Path("tiny-imagenet-100.zip"), 224: Path("imagenet-sample-800.zip")}
SIZES = {"tiny-imagenet-100": (50_000, 2500), "imagenet-sample-800": (500, 300), "resnet64": (256, 256)}


def stand_ins(source: Path) -> tuple[ImageSet, ImageSet]:
    """Sets of the name and number of those that were used, of pixels that nobody looks at."""
    found = []
    for split, count in zip(("craft", "held-out"), SIZES[source.stem], strict=True):
        files = tuple(map(str, range(count)))
        found.append(ImageSet(f"{source.stem} ({split})", torch.zeros(count, 3, 1, 1, dtype=torch.uint8), files, files))
    return found[0], found[1]


@pytest.fixture(scope="module")
def every() -> list[Job]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Materials, "splits", lambda self, key, source=None: stand_ins(source or self.source(key)))
        patch.setattr(Materials, "held_out", lambda self, key: stand_ins(self.source(key))[1])
        yield jobs(Materials(Zoo([CARDS]), SOURCES), PARTS, [*EMBEDDED, *SEVEN])


def test_everything_that_ships_is_made(every: list[Job]) -> None:
    assert {job.name for job in every if not job.is_done()} == TO_COME
    networks = {path.stem for path in GENERATORS.glob("*.safetensors")}  # that make patterns or digits
    done = {job.name for job in every if job.part != "library" and job.name not in TO_COME}
    assert networks <= done
    # Of a generator that was trained to be measured alone, its row of the draws is what ships.
    made = {f"{name}.json" for name in done - networks if "-seed" not in name}
    for kind, other in (("-places", "-beside"), ("-crafted", "-blends")):
        made |= {f"{name.removesuffix(kind)}{other}.json" for name in done if name.endswith(kind)}
    others = {"opening.json", "resnet64-rounds.json", *(path.name for path in RESULTS.glob("*-training.json"))}
    assert {path.name for path in RESULTS.glob("*.json")} == made | others
    assert {path.stem for path in PERTURBATIONS.glob("*.safetensors")} == {
        job.name for job in every if job.part == "library" and job.name not in TO_COME
    }


def test_the_sets_are_those_of_the_photographs(shared: Path) -> None:
    """What stands in above is called and counted as what was used."""
    from uap_core.datasets.image_sets import open_held_out

    for side, source in SOURCES.items():
        found, stand_in = open_held_out(shared / "data" / source.name, side, side), stand_ins(source)[1]
        assert (found.name, len(found)) == (stand_in.name, len(stand_in))


def test_the_dreams_and_the_first_view_are_made_by_what_is_there() -> None:
    card = json.loads(dreams_path("resnet64").with_suffix(".json").read_text(encoding="utf-8"))
    assert {"method": card["method"], "settings": card["settings"]} == identity(Dreamer())
    assert load_opening() is not None, "its pattern's file is the one that was looked at"


def test_nothing_that_ships_holds_a_repr_or_a_networks_name() -> None:
    names = {card.name for card in Zoo([CARDS]).cards().values()}

    def check(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                check(key)
                check(inner)
        elif isinstance(value, list):
            for inner in value:
                check(inner)
        elif isinstance(value, str):
            assert "(budget=" not in value
            assert value not in names

    for path in RESULTS.glob("*.json"):
        table = json.loads(path.read_text(encoding="utf-8"))
        table.pop("title", None)  # which nothing reads
        check(table)
    for entry in library():
        check(entry.provenance)


def shown(name: str, kind: type, call: Callable[[Any], str]) -> list[str]:
    """What the rows of a table are called, each once, in their order."""
    return list(dict.fromkeys(call(row) for row in read_table(RESULTS / f"{name}.json", kind).rows))


def test_rows_are_called_what_they_were_called() -> None:
    names = network_names(Zoo().cards()) | {entry.key: entry.name for entry in library()} | LEARNER_NAMES
    origin: Callable[[MatrixRow], str] = lambda row: origin_name(row.origin, names)  # noqa: E731
    assert shown("resnet64-sweep", SweepRow, lambda row: sweep.NAMES[row.attack]) == [
        *("universal", "random noise", "an attack made for each picture (FGSM)")
    ]
    assert shown("resnet64-detector", DetectorRow, lambda row: detector.NAMES[row.attack]) == [
        *("universal pattern", "one that knows the detector", "random noise", "FGSM per image", "PGD per image")
    ]
    assert shown("resnet64-directions", DirectionRow, lambda row: directions.NAMES[row.direction]) == [
        *("universal pattern", "random direction", "mean image", "one FGSM direction"),
        *("sum of adversarial directions", "one adversarial direction"),
    ]
    assert shown("resnet64-normals", SingularRow, lambda row: normals.NAMES[row.kind]) == [
        *("normals of the boundary", "random unit vectors")
    ]
    assert shown("resnet64-subspace", SubspaceRow, lambda row: normals.NAMES[row.space]) == [
        *("full space", "span of the first singular vectors")
    ]
    assert shown("resnet64-defences", DefenceRow, lambda row: defence_name(row.defence)) == [
        *("none", "JPEG 75", "JPEG 50", "blur 1", "3 bits", "crop 90%", "trained on attacks", "trained on a universal pattern")
    ]
    assert shown("googlenet_bvlc-ablations", AblationRow, lambda row: variant_name(row.variant))[-2:] == [
        *("in 32 bits", "DeepFool, image by image (the paper's)")
    ]
    assert "DeepFool, batches of 8, gain 3200" in shown(
        "resnet64-ablations", AblationRow, lambda row: variant_name(row.variant)
    )
    assert shown("vgg64-lipschitz", LayerRow, lambda row: row.label)[0] == "normalisation 1"
    assert shown("vgg64-lipschitz", LayerRow, lambda row: row.kind_name)[-1] == "whole network"
    matrix = shown("imagenet-matrix", MatrixRow, origin)
    assert matrix[-4:] == [
        *("random signs, l_inf 10/255", "random signs, l2 2000/255 = 7.843"),
        *("Gaussian noise, stddev 10/255", "Gaussian noise, stddev 5.155/255"),
    ]
    assert "all but GoogLeNet (BVLC), l_inf 10/255" in matrix
    assert "PGD 10/255, made on GoogLeNet (BVLC)" in shown("imagenet-examples", MatrixRow, origin)
    assert "Gaussian noise, as large as by FGSM 10/255" in shown("imagenet-examples", MatrixRow, origin)
    assert "L-BFGS, made on A': 16-32-64, half 2" in shown("halves", MatrixRow, origin)
    assert shown("imagenet-matrix", MatrixRow, lambda row: names[row.network]) == [
        *("squeezenet1_1 (Caffe)", "mobilenet_v2 (TF)", "MobileNet V1 0.75 (TF)", "GoogLeNet (BVLC)"),
        *("EfficientNet-Lite0", "EfficientNet-Lite1", "EfficientNet-Lite2"),
    ]


def test_networks_that_are_elsewhere_are_called_as_by_their_cards() -> None:
    cards = Zoo([CARDS]).cards()
    assert {key: cards[key].name for key in ELSEWHERE} == ELSEWHERE
    assert network_names({}) == ELSEWHERE
    assert network_names(cards)["resnet64"] == "ResNet-64 (built in)"


# As they stood before the files were migrated, and as README has some of them: file, what tells a row, field, count of total.
KNOWN: list[tuple[str, dict[str, Any], str, tuple[int, int]]] = [
    ("embedded-matrix", {"perturbation": "resnet64-linf10.safetensors", "network": "resnet64"}, "fooling_rate", (2180, 2500)),
    ("embedded-matrix", {"perturbation": "vgg64-linf10.safetensors", "network": "resnet64"}, "fooling_rate", (1285, 2500)),
    (
        "embedded-matrix",
        {"perturbation": "gaussian", "size": 18.04 / 255, "network": "resnet64_robust"},
        "fooling_rate",
        (448, 2500),
    ),
    (
        "imagenet-matrix",
        {"perturbation": "googlenet_bvlc-linf10-deepfool.safetensors", "network": "googlenet_bvlc"},
        "fooling_rate",
        (116, 300),
    ),
    (
        "imagenet-matrix",
        {"perturbation": "all-but-squeezenet1_1_caffe-linf10.safetensors", "network": "mobilenet_v1_075"},
        "fooling_rate",
        (267, 300),
    ),
    ("embedded-examples", {"perturbation": "deepfool", "made_on": "vgg64", "network": "vgg64"}, "fooling_rate", (500, 500)),
    (
        "imagenet-examples",
        {"perturbation": "fgsm", "made_on": "mobilenet_v2_tf", "network": "mobilenet_v1_075"},
        "fooling_rate",
        (45, 100),
    ),
    ("halves", {"perturbation": "random_signs", "like": "lbfgs", "network": "a2"}, "fooling_rate", (2, 250)),
    ("googlenet_bvlc-ablations", {"variant": "ours", "seed": 0}, "rate", (130, 150)),
    ("squeezenet1_1_caffe-ablations", {"variant": "deepfool_gain_1", "seed": 1}, "rate", (0, 150)),
    ("resnet64-convergence", {"method": "singular", "image_gradients": 2048}, "held_out_rate", (1235, 2500)),
    ("squeezenet1_1_caffe-convergence", {"method": "deepfool", "image_gradients": 2007}, "held_out_rate", (153, 300)),
    ("mobilenet_v2_tf-curve-real", {"images": 4, "seed": 1}, "held_out_rate", (262, 300)),
    ("resnet64-defences", {"defence": "blur-1"}, "crafted_anew", (224, 300)),
    ("resnet64-defences", {"defence": "universal"}, "fixed", (70, 300)),
    ("squeezenet1_1_caffe-detector", {"attack": "aware", "threshold": 0.0}, "fooled", (264, 300)),
    ("resnet64-sweep", {"attack": "random_signs", "epsilon": 16 / 255}, "fooling_rate", (741, 2500)),
    ("googlenet_bvlc-directions", {"direction": "mean", "norm": 1000 / 255}, "fooling_rate", (4, 300)),
    ("resnet64-subspace", {"space": "span", "dimension": 10, "norm": 1000 / 255}, "fooling_rate", (262, 500)),
    ("resnet64-rounds", {"round": 1}, "new_pattern", (1340, 2500)),
]


@pytest.mark.parametrize(("name", "told", "field", "count"), KNOWN, ids=lambda value: value if isinstance(value, str) else "")
def test_figures_are_what_they_were(name: str, told: dict[str, Any], field: str, count: tuple[int, int]) -> None:
    rows = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["rows"]
    found = {tuple(row[field].values()) for row in rows if told.items() <= row.items()}
    assert found == {count}


def test_values_are_what_they_were() -> None:
    def row(name: str, index: int) -> dict[str, Any]:
        return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["rows"][index])

    assert (row("resnet64-normals", 600)["kind"], row("resnet64-normals", 600)["value"]) == ("random", 1.093791)
    assert row("googlenet_bvlc-lipschitz", 5)["bound"] == 8.558669303040032
    assert {entry.key: entry.provenance["held_out"] for entry in library()}["googlenet_bvlc-l2.safetensors"] == {
        "set": "300 images of imagenet-sample-800 (held-out)",
        "fooling_rate": 0.8633,
        "random_signs": 0.1033,
    }
