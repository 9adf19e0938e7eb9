from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hub_stand_in import TIMM, hub
from PIL import Image
from safetensors.torch import save
from servers import serving
from to_come import PATTERNS_TO_COME

from uap_core import __main__ as cli
from uap_core.defences.names import defence_name
from uap_core.defences.transforms import GRADIENTS
from uap_core.experiments.certified_radius import LayerRow, RadiusRow
from uap_core.experiments.epsilon_sweep import EPSILONS, SweepRow
from uap_core.experiments.origins import MatrixRow
from uap_core.experiments.sample_curve import SampleRow
from uap_core.io.paths import MODELS
from uap_core.io.results import read_table
from uap_core.models.libraries import import_timm
from uap_core.norms import measure
from uap_core.perturbations.library import library
from uap_core.perturbations.perturbation import load_perturbation
from uap_core.perturbations.remote import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures to craft on and six held out, of 64 pixels, soft like photographs."""
    root = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for split, count in (("craft", 8), ("held_out", 6)):
        (root / split / "things").mkdir(parents=True)
        for number in range(count):
            coarse = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))
            coarse.resize((64, 64), Image.Resampling.BICUBIC).save(root / split / "things" / f"{number}.png")
    return root


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command line to (exit status, what it printed, what it complained)."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["uap_core", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        streams = capsys.readouterr()
        return int(end.value.code or 0), streams.out, streams.err

    return call


@pytest.fixture(scope="module")
def pattern(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("patterns") / "mine.safetensors"
    cli.app(["craft", "--out", str(path), "--data", str(pictures), "--budget", "32"], standalone_mode=False)
    return path


def test_models_lists_the_embedded_network_as_a_program() -> None:
    done = subprocess.run([sys.executable, "-m", "uap_core", "models"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.splitlines() if line.startswith("resnet64 ") and line.endswith(" here")]
    assert done.stderr == ""


def test_craft_writes_a_pattern_with_its_provenance(run: Run, pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "mine.safetensors"
    words = ("craft", "--data", pictures, "--budget", 8, "--images", 5, "--batch-size", 2, "--seed", 3, "--epsilon", "8/255")
    status, out, err = run(*words, "--out", path, "--name", "Mine")
    assert (status, err) == (0, "")
    assert "crafting on 5 images" in out
    assert "held-out: 6 images" in out
    made = load_perturbation(path)
    assert made.name == "Mine"
    assert made.norms.linf == pytest.approx(8 / 255)
    assert made.provenance["network"] == "resnet64"
    assert (made.provenance["seed"], made.provenance["image_gradients"]) == (3, 8)
    assert len(made.provenance["weights_sha256"]) == 64
    run(*words, "--out", tmp_path / "again.safetensors")
    assert load_perturbation(tmp_path / "again.safetensors").pattern.equal(made.pattern)


def test_craft_chooses_its_settings_by_the_size_of_the_pictures_unless_told(run: Run, pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    words = ("craft", "--model", "efficientnet_lite0", "--data", pictures, "--budget", 4, "--out", path)
    assert run(*words)[0] == 0
    said = load_perturbation(path).provenance["settings"]
    assert (said["tiles"], said["batch_size"]) == (4, 4)
    assert run(*words, "--batch-size", 2)[0] == 0
    assert load_perturbation(path).provenance["settings"]["batch_size"] == 2


def test_craft_in_l2_and_as_a_bare_array(run: Run, pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.npy"
    assert run("craft", "--data", pictures, "--budget", 16, "--p", "l2", "--epsilon", "1.5", "--out", path)[0] == 0
    assert measure(load_perturbation(path).pattern).l2 == pytest.approx(1.5, rel=1e-4)


def test_craft_by_another_method_into_a_target_and_in_two_goes(run: Run, pictures: Path, tmp_path: Path) -> None:
    whole, state, halves = tmp_path / "whole.safetensors", tmp_path / "run.state", tmp_path / "halves.safetensors"
    words = ("craft", "--data", pictures, "--method", "spgd", "--target", "lion", "--budget", 24, "--batch-size", 2)
    status, out, err = run(*words, "--interval", 8, "--out", whole)
    assert (status, err) == (0, "")
    assert out.count("into the target") == 4
    made = load_perturbation(whole)
    assert made.provenance["target"] == "lion"
    assert made.provenance["held_out"]["target_rate"] in {round(n / 6, 4) for n in range(7)}
    assert made.provenance["method"] == "spgd"
    assert made.provenance["settings"].items() >= {"budget": 24, "batch_size": 2}.items()
    assert run(*words, "--interval", 8, "--out", halves, "--checkpoint", state)[0] == 0
    _, resumed, _ = run(*words, "--interval", 8, "--out", halves, "--checkpoint", state)
    assert resumed.count("step ") < out.count("step ")
    assert load_perturbation(halves).pattern.equal(made.pattern)


def test_craft_without_pictures_measures_on_all_of_them(run: Run, pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    status, out, err = run("craft", "--data", pictures, "--method", "intrinsic", "--budget", 4, "--out", path)
    assert (status, err) == (0, "")
    assert "crafting on no images" in out
    assert "held-out: 6 images" in out
    assert load_perturbation(path).provenance["craft_set"] == "no images"


def test_craft_on_an_ensemble(run: Run, pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "both.safetensors"
    words = ("craft", "--data", pictures, "--budget", 16, "--ensemble", "worst", "--model", "resnet64")
    status, out, err = run(*words, "--model", "separable64", "--out", path)
    assert (status, err) == (0, "")
    assert out.count("held-out: 6 images") == 2
    provenance = load_perturbation(path).provenance
    assert (provenance["network"], provenance["ensemble"]) == ("resnet64, separable64", "worst")
    assert provenance["image_gradients"] == 32
    assert set(provenance["held_out"]) == {"set", "resnet64", "separable64"}
    assert f"{provenance['held_out']['resnet64']['fooling_rate']:.1%}" in out


def test_craft_takes_a_network_that_is_named_twice_once(run: Run, pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    words = ("craft", "--data", pictures, "--budget", 16, "--model", "resnet64", "--model", "resnet64")
    status, out, err = run(*words, "--out", path)
    assert (status, err) == (0, "")
    assert out.count("held-out: 6 images") == 1
    provenance = load_perturbation(path).provenance
    assert (provenance["network"], provenance["image_gradients"]) == ("resnet64", 16)


def test_evaluate_prints_the_rate_beside_its_baselines(run: Run, pictures: Path, pattern: Path) -> None:
    status, out, err = run("evaluate", pattern, "--data", pictures)
    assert status == 0
    assert f"Measured on the pictures of {pictures.name} that the pattern was not crafted on." in err
    assert "mine (l_inf 10/255) on 6 images" in out
    for words in ("fooling rate", "random signs", "dominant label", "of 6)"):
        assert words in out
    assert "accuracy" not in out  # "things" is no class of the network


def test_sweep_writes_csv_json_and_a_figure(run: Run, pictures: Path, pattern: Path, tmp_path: Path) -> None:
    table, numbers, figure = tmp_path / "new" / "rows.csv", tmp_path / "rows.json", tmp_path / "rows.png"
    status, out, err = run("sweep", pattern, "--data", pictures, "--out", table, "--figure", figure)
    assert status == 0
    assert "not crafted on" in err
    assert run("sweep", pattern, "--data", pictures, "--out", numbers)[1] == out
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert len(rows) == len(out.splitlines()) == 3 * len(EPSILONS)
    assert {row["fooling_rate"] for row in rows if float(row["epsilon"]) == 0} == {"0.0"}
    stored = read_table(numbers, SweepRow)
    assert [row.fooling_rate.count for row in stored.rows] == [int(row["fooling_rate_count"]) for row in rows]
    assert stored.provenance["perturbation"] == "mine"
    assert stored.provenance["network"] == "resnet64"
    assert Image.open(figure).format == "PNG"


def test_curve_writes_a_row_a_size_and_seed(run: Run, pictures: Path, tmp_path: Path) -> None:
    path, figure = tmp_path / "curve.json", tmp_path / "curve.svg"
    words = ("curve", "--data", pictures, "--budget", 16, "--most", 3, "--seeds", 2)
    status, out, err = run(*words, "--out", path, "--figure", figure)
    assert (status, err) == (0, "")
    rows = read_table(path, SampleRow).rows
    assert [(row.seed, row.images) for row in rows] == [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]
    assert {row.held_out_rate.total for row in rows} == {6}
    assert len(out.splitlines()) == 6
    assert "<svg" in figure.read_text()
    assert json.loads(path.read_text())["provenance"]["seeds"] == 2


def test_transfer_prints_both_tables_and_writes_their_rows(
    run: Run, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "uap_core.perturbations.library.library",
        lambda: [entry for entry in library() if entry.key == "resnet64-l2.safetensors"],
    )
    path = tmp_path / "rows.json"
    words = ("transfer", "--data", pictures, "--images", 3, "--attack", "fgsm", "--epsilon", "8/255", "--out", path)
    status, out, err = run(*words, "--model", "resnet64", "--model", "separable64")
    assert (status, err) == (0, "")
    assert "One pattern for all of 6 images" in out
    assert "each of 3 images" in out
    rows = read_table(path, MatrixRow).rows
    assert len(rows) == (1 + 4) * 2 + (2 + 2) * 2
    assert {row.fooling_rate.total for row in rows[:10]} == {6}
    assert {row.fooling_rate.total for row in rows[10:]} == {3}
    star = next(line for line in out.splitlines() if line.startswith("FGSM 8/255, made on ResNet") and "*" in line)
    assert star.split()[-1] == f"{rows[10].distortion:.4f}"
    status, _, err = run("transfer", "--attack", "nobody")
    assert status == 1
    assert "no attack 'nobody'" in err


def test_halves_says_what_its_pictures_lack(run: Run, pictures: Path) -> None:
    status, _, err = run("halves", "--data", pictures)
    assert status == 1
    assert "pictures in a folder a class" in err


def test_library_lists_what_ships(run: Run) -> None:
    status, out, _ = run("library")
    assert status == 0
    lines, count = out.splitlines(), len(library())
    assert [line.split()[0] for line in lines[:count]] == [entry.key for entry in library()]
    assert all(re.search(r"(fools|turns) \d", line) for line in lines[:count])
    assert [line.split()[0] for line in lines[count:]] == [offer.key for offer in CATALOGUE]
    assert all("to be fetched: MIT" in line for line in lines[count:])
    status, _, err = run("library", "--fetch", "nobody")
    assert status == 1
    assert "The catalogue has no 'nobody'" in err


def test_convert_says_how_it_reads_a_file_and_writes_ours(run: Run, tmp_path: Path) -> None:
    signs = np.random.default_rng(0).choice([-8, 8], (64, 64, 3))
    np.savez(tmp_path / "theirs.npz", labels=np.arange(3), v=signs)
    status, out, _ = run("convert", tmp_path / "theirs.npz")
    assert status == 0
    assert "theirs.npz, array 'v'\n" in out
    assert "rows, columns, channels; red first; added to pixels from 0 to 255; bounded in linf\n" in out
    assert "64 x 64 pixels, l_inf 8/255" in out
    written = tmp_path / "mine.safetensors"
    status, out, _ = run("convert", tmp_path / "theirs.npz", "--bgr", "--transposed", "--p", "l2", "--out", written)
    assert status == 0
    assert "columns, rows, channels; blue first" in out
    found = load_perturbation(written)
    np.testing.assert_allclose(found.pattern.numpy() * 255, signs.transpose(2, 1, 0)[::-1], rtol=1e-6)
    assert found.ball.p == "l2"
    status, _, err = run("convert", tmp_path / "theirs.npz", "--scale", "0 to 1")
    assert status == 1
    assert "go up to 8: they cannot be meant for pixels from 0 to 1" in err


PLAN = ["publish", "--plan", "--part", "library", "--data", "tiny-imagenet-100.zip", "--imagenet", "imagenet-sample-800.zip"]


def test_what_ships_was_made_by_these_recipes_settings_and_weights(run: Run) -> None:
    """Pictures are not opened for that: their names suffice."""
    status, out, _ = run(*PLAN, "--folder", ROOT / "tests" / "cards")
    assert status == 0
    first, *named = out.strip().splitlines()
    assert first.startswith(f"{len(named)} files to make, about ")
    assert {line.split()[1] for line in named} == PATTERNS_TO_COME


@pytest.mark.parametrize(
    ("words", "sentence"), [(["--model", "nobody"], "no network called 'nobody'"), (["--photo", "no"], "'no'")]
)
def test_publish_refuses_before_any_work(run: Run, words: list[str], sentence: str) -> None:
    status, _, err = run(*PLAN, *words)
    assert status == 1
    assert sentence in err


def test_publish_of_a_network_without_pictures_says_so(run: Run, pictures: Path) -> None:
    status, _, err = run(
        "publish", "--part", "curves", "--data", pictures, "--model", "googlenet_bvlc", "--folder", ROOT / "tests" / "cards"
    )
    assert status == 1
    assert "--imagenet" in err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("evaluate", "{pattern}", "--model", "nonesuch", "--data", "{pictures}"), "no network called 'nonesuch'"),
        (("evaluate", "{pattern}", "--data", "{tmp}/nowhere"), "no folder or zip"),
        (("evaluate", "{pattern}", "--data", "{tmp}"), "No picture was found"),
        (("evaluate", "{tmp}/none.npy", "--data", "{pictures}"), "no perturbation file"),
        (("evaluate", "{pictures}/craft/things/0.png", "--data", "{pictures}"), "perturbation file ends in"),
        (("models", "--folder", "{tmp}/nowhere"), "no folder of network cards"),
        (("models", "--data", "{pictures}"), "name the network with --check"),
        (("craft", "--out", "{tmp}/a.npy", "--data", "{pictures}", "--epsilon", "ten"), "typed like 10/255"),
        (("craft", "--out", "{tmp}/a.npy", "--data", "{pictures}", "--epsilon", "300/255"), "at most 255/255"),
        (("craft", "--out", "{tmp}/a.npy", "--data", "{pictures}", "--epsilon=-1/255"), "not negative"),
        (("craft", "--out", "{tmp}/a.npy", "--data", "{pictures}", "--p", "l7"), "norm must be"),
        (("craft", "--out", "{tmp}/a.npy", "--data", "{pictures}", "--budget", "0"), "at least 1"),
        (("craft", "--out", "{tmp}/a.npy", "--data", "{pictures}", "--batch-size", "0"), "at least 1"),
        (("craft", "--out", "{tmp}/a.npy", "--data", "{pictures}", "--delta", "1"), "below 1"),
        (("craft", "--out", "{tmp}/a.npy", "--data", "{pictures}", "--method", "magic"), "no method 'magic'"),
        (("craft", "--out", "{tmp}/a.npy", "--data", "{pictures}", "--target", "unicorn"), "no class 'unicorn'"),
        (("craft", "--out", "{tmp}/a.npy", "--data", "{pictures}", "--ensemble", "median"), "'mean' or the 'worst'"),
        (("craft", "--out", "{tmp}/a.npy", "--data", "{pictures}", "--method", "cosine", "--target", "lion"), "has no target"),
        (("craft", "--out", "{tmp}/a.txt", "--data", "{pictures}"), "must end in .safetensors or .npy"),
        (("craft", "--out", "{pattern}/a.npy", "--data", "{pictures}"), "mine.safetensors"),
        (("sweep", "{pattern}", "--data", "{pictures}", "--out", "{tmp}/rows.xls"), "must end in .csv or .json"),
        (("sweep", "{pattern}", "--data", "{pictures}", "--figure", "{tmp}/a.doc"), "must end in .png or .svg or .pdf"),
        (("curve", "--data", "{pictures}", "--out", "{tmp}/rows.xls"), "must end in .csv or .json"),
        (("dream", "--out", "{tmp}/a.zip", "--count", "1"), "even and at least 2"),
        (("train", "{tmp}", "--checkpoint", "{tmp}/a.ckpt", "--out", "{tmp}", "--results", "{tmp}"), "No picture was found"),
        (("train", "{tmp}", "--against", "universal"), "name an --epsilon above 0"),
        (("train", "{tmp}", "--alpha", "0.5", "--epsilon", "0"), "name an --epsilon above 0"),
    ],
)
def test_bad_input_gets_one_sentence(
    run: Run, pictures: Path, pattern: Path, tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    places = {"pattern": pattern, "pictures": pictures, "tmp": tmp_path}
    status, out, err = run(*(word.format(**places) for word in words))
    assert status == 1
    assert out == ""  # no work was done before the complaint
    assert err.startswith("error: ")
    assert complaint in err
    assert len(err.splitlines()) == 1


def test_bad_input_leaves_no_trace_in_a_real_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "uap_core", "evaluate", str(tmp_path / "none.npy")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_the_command_line_itself_is_checked(run: Run) -> None:
    status, _, err = run("curve", "--most", "0")
    assert status == 2
    assert "--most" in err


@pytest.mark.parametrize("seed", ["-5", "18446744073709551616"])
def test_a_seed_that_no_generator_takes_is_refused(run: Run, seed: str, tmp_path: Path) -> None:
    status, _, err = run("craft", "--out", tmp_path / "a.npy", "--seed", seed)
    assert status == 2
    assert "--seed" in err


# Networks


@pytest.fixture
def fetchable(tmp_path: Path) -> Iterator[Path]:
    """A folder with the card of a network whose weights a server offers: the embedded one's under another name."""
    card = json.loads((MODELS / "resnet64.json").read_text(encoding="utf-8"))
    weights = (MODELS / card["weights"]).read_bytes()
    with serving({"fetched.safetensors": weights}) as address:
        changes = {"key": "fetched", "weights": "fetched.safetensors", "url": f"{address}/fetched.safetensors"}
        text = json.dumps({**card, **changes, "download_megabytes": len(weights) / 1e6})
        (tmp_path / "fetched.json").write_text(text, encoding="utf-8")
        yield tmp_path


def test_models_lists_everything_and_says_what_is_here(run: Run, fetchable: Path) -> None:
    status, out, _ = run("models", "--folder", fetchable)
    assert status == 0
    assert re.search(r"^resnet64 .* 64 px .*7\d\.\d% +MIT +here$", out, re.MULTILINE)
    assert re.search(r"^fetched .*not here$", out, re.MULTILINE)
    assert re.search(r"^vgg16 +VGG-16 +224 px +528 MB +71\.6% +BSD-3-Clause", out, re.MULTILINE)


def test_fetch_a_network_and_look_into_it(run: Run, fetchable: Path) -> None:
    status, out, _ = run("models", "--folder", fetchable, "--check", "fetched")
    assert status == 1
    assert "WRONG" in out
    assert "fetch fetched" in out
    status, out, _ = run("fetch", "fetched", "--folder", fetchable)
    assert status == 0
    assert "4.7 of 4.7 MB" in out
    assert (fetchable / "fetched.safetensors").read_bytes() == (MODELS / "resnet64.safetensors").read_bytes()
    status, out, _ = run("models", "--folder", fetchable, "--check", "fetched")
    assert status == 0
    assert out.count("ok ") == 5
    status, out, _ = run("fetch", "fetched", "--folder", fetchable)
    assert status == 0
    assert "here already" in out


def test_fetch_without_a_connection_and_without_a_place(run: Run, fetchable: Path) -> None:
    card = json.loads((fetchable / "fetched.json").read_text(encoding="utf-8"))
    for url, sentence in (
        ("http://127.0.0.1:9/w", "There is no connection to 127.0.0.1:9"),
        ("", "names no place to fetch it from"),
    ):
        (fetchable / "fetched.json").write_text(json.dumps({**card, "url": url}), encoding="utf-8")
        status, _, err = run("fetch", "fetched", "--folder", fetchable)
        assert status == 1
        assert sentence in err
        assert len(err.splitlines()) == 1
    assert not (fetchable / "fetched.safetensors").exists()


@pytest.mark.parametrize("place", ["../outside.safetensors", "{elsewhere}/outside.safetensors", "fetched.desktop"])
def test_fetch_writes_beside_the_card_alone(run: Run, fetchable: Path, tmp_path: Path, place: str) -> None:
    weights = place.format(elsewhere=tmp_path.parent / "elsewhere")
    card = json.loads((fetchable / "fetched.json").read_text(encoding="utf-8")) | {"weights": weights}
    (fetchable / "fetched.json").write_text(json.dumps(card), encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    status, _, err = run("fetch", "fetched", "--folder", fetchable)
    assert status == 1
    assert "a file in its own folder" in err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_network_of_timm_by_its_name(run: Run, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with hub({f"timm/{TIMM}": save(import_timm().create_model(TIMM).state_dict())}) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        status, out, _ = run("fetch", f"timm:{TIMM}")
        assert status == 0
        assert "1.5 of 1.5 MB" in out
        status, out, _ = run("fetch", f"timm:{TIMM}")
        assert "here already" in out
    status, out, _ = run("models")
    assert re.search(rf"^timm:{TIMM} +{TIMM} +160 px +1 MB +40\.8%  apache-2\.0 +here$", out, re.MULTILINE)
    shipped = next(entry.path for entry in library() if entry.side == 224)
    for words, sentence in (
        (("fetch", "timm:resnet81"), "timm has no trained ImageNet network called 'resnet81'."),
        (("fetch", "timm:vit_base_patch16_224.augreg_in21k"), "gives 21843 scores a picture"),
        (("fetch", "timm:vit_small_patch14_dinov2.lvd142m"), "has no classifier"),
        (("fetch", "timm:eva_giant_patch14_224.clip_ft_in1k"), "needs 4050 MB, more than the 1500 MB"),
        (("fetch", "timm:resnet18.a1_in1k"), f"There is no connection to {address.removeprefix('http://')}."),
        (
            ("evaluate", shipped, "--model", f"timm:{TIMM}", "--data", pictures),
            "made for 224 x 224 pixels, the network takes 160 x 160. Choose a perturbation of the network's size",
        ),
    ):
        status, _, err = run(*words)
        assert status == 1
        assert sentence in err
        assert len(err.splitlines()) == 1


def test_lipschitz_prints_every_layer_and_writes_layers_and_pictures(
    run: Run, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uap_core.bounds.layers.Convolution.circular_bound", lambda self: 2.0)  # seconds, for 18 layers
    monkeypatch.setattr("uap_core.bounds.layers.Convolution.real_norm", lambda self, generator: 1.5)
    path, figure = tmp_path / "bounds.json", tmp_path / "bounds.png"
    words = ("--data", pictures, "--images", 2, "--out", path, "--figure", figure)
    status, out, err = run("lipschitz", *words)
    assert (status, err) == (0, "")
    layers = read_table(path, LayerRow).rows
    found = read_table(tmp_path / "bounds-certified.json", RadiusRow).rows
    assert all(row.label in out for row in layers)
    assert (layers[-1].kind, len(found)) == ("whole", 2)
    assert f"L = {layers[-1].running:.3g}" in out
    assert figure.stat().st_size > 1000


def test_defend_prints_and_writes_both_patterns_for_every_defence(run: Run, pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "defences.csv"
    status, out, err = run("defend", "--data", pictures, "--budget", 8, "--images", 5, "--detector", "--out", path)
    assert (status, err) == (0, "")
    ids = ["none", "jpeg-75", "jpeg-50", "blur-1", "bits-3", "crop-0.9"]
    lines = list(csv.DictReader(path.read_text().splitlines()))
    assert [line["defence"] for line in lines][: len(ids)] == ids
    for line in lines:
        assert line["fixed_total"] == line["crafted_anew_total"] == "5"
        assert re.search(
            rf"^{defence_name(line['defence'])}( +[\d.]+%){{4}}  {GRADIENTS[line['gradient']]}$", out, re.MULTILINE
        )
    assert out.count("AUC") == 5
    assert "one that knows the detector: AUC" in out
