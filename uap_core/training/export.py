"""From a folder of images to what ships: train, store as fp16, measure the stored file, write card and training curve."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import nn

from uap_core.datasets.image_sets import ImageSet, open_image_set
from uap_core.errors import DatasetError, SettingError
from uap_core.images.photographs import sample_photos
from uap_core.images.reading import preprocess
from uap_core.io.atomic import write_whole
from uap_core.io.paths import MODELS
from uap_core.io.results import Table, write_table
from uap_core.metrics import accuracy, predict, top_k_accuracy
from uap_core.models.card import Card, read_card
from uap_core.models.card_checks import check_key
from uap_core.models.classifier import Classifier
from uap_core.models.device import chosen_device
from uap_core.models.embedded import EMBEDDED
from uap_core.models.loaders import load
from uap_core.models.weights import file_hash
from uap_core.perturbations.perturbation import versions
from uap_core.training.adversarial import accuracy_under_attack
from uap_core.training.loop import EpochRow, train
from uap_core.training.recipe import UNIVERSAL, Recipe
from uap_core.training.taught import TaughtRecipe


def train_and_publish(
    data: Path, key: str, architecture: str, out: Path, results: Path, checkpoint: Path, recipe: Recipe
) -> Iterator[EpochRow]:
    """Train on ``data`` (train/ and val/, one folder a class) and yield an epoch at a time; then write what ships.

    ``out`` gets <key>.safetensors and <key>.json, ``results`` gets <key>-training.json. Raises DatasetError when the two
    splits do not have the same classes, SettingError for an ``architecture`` that is not known, a ``key`` that names no file, a
    teacher of other classes, or weights to begin with that do not fit; ModelError when those are not there.
    """
    if architecture not in EMBEDDED:
        raise SettingError(f"There is no architecture {architecture!r}. Known: {', '.join(EMBEDDED)}.")
    check_key(key)
    craft = open_image_set(data, "craft", recipe.size, recipe.size)
    held_out = open_image_set(data, "held_out", recipe.size, recipe.size)
    wnids = tuple(sorted(set(craft.classes)))
    truth, held_out_truth = craft.truth(wnids), held_out.truth(wnids)
    if truth is None or held_out_truth is None or set(held_out.classes) != set(wnids):
        raise DatasetError("The training and the validation images do not have the same classes.")
    if isinstance(recipe, TaughtRecipe) and not _are_classes_of(read_card(MODELS / f"{recipe.teacher}.json"), wnids):
        raise SettingError(f"The teacher, {recipe.teacher}, knows other classes than these pictures show.")
    names = class_names(data)
    with torch.random.fork_rng():  # layers draw their first weights from torch's global generator
        torch.manual_seed(recipe.seed)
        network = EMBEDDED[architecture].build_to_train(len(wnids))
    if recipe.start:
        begin_with(network, read_card(MODELS / f"{recipe.start}.json"))
    network.to(chosen_device())
    rows: list[EpochRow] = []
    for row in train(network, (craft.pixels, truth), (held_out.pixels, held_out_truth), recipe, checkpoint):
        rows.append(row)
        yield row
    classes = [{"name": names.get(wnid, wnid), "wnid": wnid} for wnid in wnids]
    write_weights(EMBEDDED[architecture].to_ship(network.cpu()), out / f"{key}.safetensors")
    write_card(out, key, architecture, classes, recipe, rows, craft, held_out)
    provenance = {"network": key, "recipe": asdict(recipe), **versions()}
    write_table(Table(f"Training of {key}", rows, provenance), results / f"{key}-training.json")


def begin_with(network: nn.Module, card: Card) -> None:
    """Give ``network`` the weights of ``card``. Raises SettingError when they do not fit, as a folded batch norm's do not."""
    try:
        network.load_state_dict(load_file(card.weights_path))
    except RuntimeError as error:
        raise SettingError(f"The training cannot start from {card.name}: its weights do not fit this network.") from error


def class_names(data: Path) -> dict[str, str]:
    """WordNet id to short name, from the classes.csv (columns wnid, name) beside the splits; empty without one.

    Raises DatasetError for one that cannot be read.
    """
    if data.is_dir():
        path = data / "classes.csv"
        held = path.read_bytes() if path.is_file() else b""
    else:
        with zipfile.ZipFile(data) as archive:
            held = archive.read("classes.csv") if "classes.csv" in archive.namelist() else b""
    try:
        rows = list(csv.DictReader(io.StringIO(held.decode("utf-8-sig"))))  # some programs put a mark before UTF-8
        return {row["wnid"]: row["name"] for row in rows}
    except (UnicodeDecodeError, KeyError, csv.Error) as error:
        raise DatasetError(
            "classes.csv is not a table in UTF-8 with the columns wnid and name, commas between them."
        ) from error


def _are_classes_of(card: Card, wnids: tuple[str, ...]) -> bool:
    return tuple(row["wnid"] for row in card.classes if isinstance(row, dict)) == wnids


def write_weights(network: nn.Module, path: Path) -> None:
    """As fp16, half the size; counters that only training needs are left at zero."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = network.state_dict()
    halves = {name: value.half() if value.is_floating_point() else torch.zeros_like(value) for name, value in state.items()}
    write_whole(path, save({name: value.contiguous() for name, value in halves.items()}))


def write_card(
    out: Path,
    key: str,
    architecture: str,
    classes: list[dict[str, str]],
    recipe: Recipe,
    rows: list[EpochRow],
    craft: ImageSet,
    held_out: ImageSet,
) -> None:
    """Describe the stored file by what it is measured to do, read back from disk."""
    weights = out / f"{key}.safetensors"
    card: dict[str, Any] = {
        "key": key,
        "name": f"{EMBEDDED[architecture].name}{_schooling(recipe)} (built in)",
        "kind": "embedded",
        "architecture": architecture,
        "weights": weights.name,
        "sha256": file_hash(weights),
        "input_size": recipe.size,
        "resize_size": recipe.size,
        "view_size": recipe.view_size,
        "licence": "MIT",
        "source": f"trained {_beginning(recipe)} by this project on {len(craft)} images of {craft.name}",
        "note": f"Knows {len(classes)} everyday ImageNet classes; a photograph of anything else gets the nearest of them.",
        "download_megabytes": round(weights.stat().st_size / 1e6, 2),
        "recipe": asdict(recipe) | {"minutes": round(sum(row.seconds for row in rows) / 60, 1)},
        "classes": classes,
    }
    path = out / f"{key}.json"
    path.write_text(json.dumps(card, indent=1), encoding="utf-8")
    classifier = load(read_card(path)).to(chosen_device())
    card["measured"] = measure(classifier, held_out)
    if recipe.epsilon:
        truth = held_out.truth(classifier.class_ids)
        assert truth is not None
        generator = torch.Generator().manual_seed(recipe.seed)
        under = accuracy_under_attack(classifier, held_out.pixels, truth, recipe.epsilon, generator)
        card["measured"]["under_attack"] = {"attack": "PGD, 20 steps, l_inf", "epsilon": recipe.epsilon, "top1": under}
    path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def _schooling(recipe: Recipe) -> str:
    """What sets a network apart that was attacked while it learned: picture by picture, or by one pattern."""
    if not recipe.epsilon:
        return ""
    return ", universally trained" if recipe.against == UNIVERSAL else ", robust"


def _beginning(recipe: Recipe) -> str:
    beside = f", {recipe.teacher} beside it," if isinstance(recipe, TaughtRecipe) else ""
    return (f"further from {recipe.start}" if recipe.start else "from scratch") + beside


@torch.inference_mode()
def measure(classifier: Classifier, held_out: ImageSet) -> dict[str, Any]:
    """Accuracy on real images and what the network says of the sample photographs."""
    truth = held_out.truth(classifier.class_ids)
    assert truth is not None
    logits = torch.cat([classifier(batch) for batch in held_out.batches()])
    photos = {}
    for photo in sample_photos():
        image = preprocess(photo.open(), classifier.card.resize_size, classifier.size)
        label = int(predict(classifier, [image]))
        photos[photo.key] = classifier.labels[label]
    return {
        "set": f"{len(held_out)} images of {held_out.name}",
        "top1": accuracy(logits.argmax(dim=1), truth).value,
        "top5": top_k_accuracy(logits, truth).value,
        "photographs": photos,
    }
