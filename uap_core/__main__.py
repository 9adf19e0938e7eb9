"""python -m uap_core: from the command line, what the page does, and how everything that ships was made."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uap_core.assets import MODELS, PERTURBATIONS, RESULTS, dreams_path
from uap_core.errors import DatasetError, SettingError, UapError
from uap_core.models.zoo import DEFAULT_MODEL, Zoo, dreams_for

if TYPE_CHECKING:
    from uap_core.datasets import ImageSet
    from uap_core.download import Fetched
    from uap_core.experiments.matrix import MatrixRow
    from uap_core.models.classifier import Classifier

app = typer.Typer(
    help="Universal adversarial perturbations: craft, evaluate, sweep; train and dream for the embedded networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
Model = Annotated[str, typer.Option(help="Key of the network, as `models` lists it.")]
Data = Annotated[Path | None, typer.Option(help="Folder or zip of pictures; the network's dreams when left out.")]
Models = Annotated[Path | None, typer.Option(help="A further folder of network cards.")]
Seed = Annotated[int, typer.Option(help="Same seed, same machine, same result.")]
Epsilon = Annotated[str, typer.Option(help="Radius of the ball, like 10/255.")]
TABLES, FIGURES = (".csv", ".json"), (".png", ".svg", ".pdf")


@app.command()
def models(
    check: Annotated[
        str, typer.Option(help="Look into this network: what it takes, what it gives, what is wrong with it.")
    ] = "",
    data: Annotated[Path | None, typer.Option(help="With --check: folder or zip of pictures, one folder a class.")] = None,
    folder: Models = None,
) -> None:
    """List the networks: size of input and download, accuracy, licence, and whether their weights are on this machine."""
    from uap_core.models.weights import state

    zoo = _zoo(folder)
    if check:
        from uap_core.experiments.checkup import checkup

        findings = []
        for finding in checkup(zoo.card(check), data):
            findings.append(finding)
            print(finding, flush=True)
        if not all(finding.good for finding in findings):
            sys.exit(1)
        return
    cards = zoo.cards()
    print(f"{'key':20} {'name':42} {'input':>6} {'weights':>8} {'top-1':>7}  {'licence':26} state")
    for key, card in cards.items():
        size, accuracy = f"{card.input_size:3} px {card.megabytes:5.0f} MB", f"{card.top1:7.1%}" if card.top1 else ""
        print(f"{key:20} {card.name:42} {size} {accuracy:7}  {card.licence:26} {state(card)}")


@app.command()
def fetch(model: Annotated[str, typer.Argument(help="Key of a network, as `models` lists it.")], folder: Models = None) -> None:
    """Download the weights of a network. Nothing counts as there before all of it is, and is right."""
    from uap_core.models.weights import HERE, state
    from uap_core.models.weights import fetch as fetch_weights

    card = _zoo(folder).card(model)
    if state(card) == HERE:
        print(f"{card.name} is here already: {card.weights_path}")
        return
    _say_progress(card.name, fetch_weights(card))
    print(f"{card.name} is here: {card.weights_path}")


@app.command()
def craft(
    out: Annotated[Path, typer.Option(help="Where to write the pattern: .safetensors or .npy.")],
    model: Annotated[list[str], typer.Option(help="Key of a network; name several for an ensemble.")] = [DEFAULT_MODEL],  # noqa: B006
    data: Data = None,
    images: Annotated[int, typer.Option(min=1, help="Craft on at most this many images.")] = 512,
    epsilon: Epsilon = "10/255",
    p: Annotated[str, typer.Option(help="linf or l2.")] = "linf",
    method: Annotated[
        str, typer.Option(help="default, transfer, deepfool, spgd, margin, cosine, sga or singular.")
    ] = "default",
    budget: Annotated[int | None, typer.Option(help="Image-gradients at most; the method's own when left out.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step; the method's own when left out.")] = None,
    target: Annotated[str, typer.Option(help="Name of the class that every image shall become.")] = "",
    ensemble: Annotated[str, typer.Option(help="Of several networks: descend on the mean or the worst loss.")] = "mean",
    delta: Annotated[float | None, typer.Option(help="Stop once 1 - delta of the craft images are fooled.")] = None,
    interval: Annotated[int, typer.Option(help="Image-gradients between measurements, and between saves.")] = 1000,
    bf16: Annotated[bool | None, typer.Option(help="Gradients in 16 bits; by itself where the processor is faster so.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Save the run here; go on from it if it is there.")] = None,
    seed: Seed = 0,
    name: Annotated[str, typer.Option(help="What lists should call it.")] = "",
    folder: Models = None,
) -> None:
    """Craft a universal perturbation on the craft images and measure it on the held-out ones.

    Under torchrun every batch is split over the processes, to the same result.
    """
    import torch

    from uap_core.crafting import method_class
    from uap_core.crafting.first_order import FirstOrder
    from uap_core.crafting.problem import Goal
    from uap_core.crafting.processes import process_group
    from uap_core.experiments.crafted import with_held_out, with_provenance
    from uap_core.models.precision import has_fast_bf16
    from uap_core.norms import Ball
    from uap_core.perturbation import ENDINGS, save_perturbation

    _check(out, *ENDINGS)
    if checkpoint is not None:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
    chosen: dict[str, Any] = {"budget": budget, "batch_size": batch_size, "delta": delta, "interval": interval}
    kind = method_class(method)
    if issubclass(kind, FirstOrder):
        chosen["bf16"] = has_fast_bf16() if bf16 is None else bf16
    elif bf16:
        raise SettingError(f"The method {method!r} has no use for 16 bits.")
    crafter = kind(**{option: value for option, value in chosen.items() if value is not None})
    zoo, ball = _zoo(folder), Ball.parse(epsilon, p)
    networks = [zoo.load(key) for key in model]
    goal = Goal(networks[0].index_of(target) if target else None, ensemble)
    craft_set, held_out = _splits(networks[0], data)
    craft_set = craft_set.shuffled(torch.Generator().manual_seed(seed)).prefix(images)
    with process_group() as (rank, _):
        generator = torch.Generator().manual_seed(seed)
        run = crafter.craft(networks, craft_set.pixels, ball, generator, goal=goal, checkpoint=checkpoint)
        say: Any = print if rank == 0 else lambda *_, **__: None
        say(f"{' + '.join(n.card.name for n in networks)}, {ball}: crafting on {len(craft_set)} images of {craft_set.name}")
        last = None
        for last in run:
            if last.fooling_rate:
                into = f", into the target {last.target_rate.value:.1%}" if last.target_rate else ""
                say(
                    f"step {last.step:5}  {last.image_gradients:7} image-gradients  {last.seconds:6.1f} s"
                    f"  craft set fooled {last.fooling_rate.value:.1%}{into}",
                    flush=True,
                )
        if rank > 0:
            return
    assert last is not None
    result = with_provenance(name or out.stem, crafter, networks, craft_set, ball, goal, seed, last)
    result, evaluations = with_held_out(result, networks, held_out, goal, seed)
    save_perturbation(result, out)
    for network, measured in zip(networks, evaluations, strict=True):
        _print_evaluation(measured, f"{network.card.name}, held-out: {len(held_out)} images of {held_out.name}")


class Scale(str, Enum):
    """Pixels that a foreign pattern was made for."""

    unit = "0 to 1"
    bytes = "0 to 255"


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="Anybody's pattern: .npy, .npz, .pth, .mat or .safetensors.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write it: .safetensors or .npy; only told about when left out.")
    ] = None,
    array: Annotated[str, typer.Option(help="Name of the array, when the file holds several.")] = "",
    transposed: Annotated[bool, typer.Option("--transposed", help="Its columns come before its rows.")] = False,
    bgr: Annotated[bool, typer.Option("--bgr", help="Its blue channel comes first.")] = False,
    scale: Annotated[
        Scale | None, typer.Option(help="Of the pixels it is added to; told from its values when left out.")
    ] = None,
    p: Annotated[str, typer.Option(help="linf or l2; told from its values when left out.")] = "",
    name: Annotated[str, typer.Option(help="What lists should call it.")] = "",
) -> None:
    """Read anybody's pattern, say how it was understood, and write it as ours.

    Axes of channels, scale and norm are told from the numbers; swapped rows and columns, or colours, only you can know.
    """
    from dataclasses import replace

    from uap_core.foreign import detect, read_arrays
    from uap_core.perturbation import ENDINGS, from_arrays, save_perturbation

    _check(out, *ENDINGS)
    arrays = read_arrays(file)
    chosen: dict[str, Any] = {"transposed": transposed, "bgr": bgr, "scale": scale and scale.value, "p": p}
    reading = replace(detect(arrays, array), **{key: value for key, value in chosen.items() if value})
    pattern = from_arrays(arrays, reading, file)
    _, height, width = pattern.pattern.shape
    print(f"{file.name}, array {reading.array!r}" + (f" of {', '.join(arrays)}" if len(arrays) > 1 else ""))
    print(f"  read as   {reading}")
    print(f"  pattern   {width} x {height} pixels, {pattern.ball}")
    if out is not None:
        save_perturbation(replace(pattern, name=name or pattern.name), out)
        print(f"  written   {out}")


@app.command()
def evaluate(
    perturbation: Annotated[Path, typer.Argument(help="A pattern of ours, or anybody's as `convert` reads it.")],
    model: Model = DEFAULT_MODEL,
    data: Data = None,
    seed: Seed = 0,
    folder: Models = None,
) -> None:
    """Fooling rate of a pattern on held-out images, beside random signs of the same norm, and the accuracy it costs."""
    import torch

    from uap_core.experiments.evaluation import evaluate as measure
    from uap_core.perturbation import load_perturbation

    classifier, pattern = _zoo(folder).load(model), load_perturbation(perturbation)
    held_out = _held_out(classifier, data)
    measured = measure(classifier, pattern, held_out, torch.Generator().manual_seed(seed))
    name = pattern.name if str(pattern.ball) in pattern.name else f"{pattern.name} ({pattern.ball})"
    _print_evaluation(measured, f"{name} on {len(held_out)} images of {held_out.name}")


@app.command()
def sweep(
    perturbation: Annotated[Path, typer.Argument(help="A pattern of ours, or anybody's as `convert` reads it.")],
    model: Model = DEFAULT_MODEL,
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="Also write the rows: .csv or .json.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Also draw them: .png, .svg or .pdf.")] = None,
    seed: Seed = 0,
    folder: Models = None,
) -> None:
    """Fooling rate against epsilon: the pattern, random signs of the same norm, FGSM made for each image."""
    import torch

    from uap_core.experiments.sweep import epsilon_sweep
    from uap_core.perturbation import load_perturbation

    _check(out, *TABLES)
    _check(figure, *FIGURES)
    classifier, pattern = _zoo(folder).load(model), load_perturbation(perturbation)
    held_out = _held_out(classifier, data)
    rows = []
    for row in epsilon_sweep(classifier, pattern, held_out, torch.Generator().manual_seed(seed)):
        rows.append(row)
        print(f"{row.attack:14}  epsilon {row.epsilon * 255:4.1f}/255  {row.fooling_rate}", flush=True)
    details = _provenance(classifier, held_out, seed) | {"perturbation": pattern.name}
    _write(out, f"{pattern.name} on {classifier.card.name}, {len(held_out)} held-out images", rows, details)
    if figure:
        from uap_core.plots import sweep_figure

        sweep_figure(rows, classifier.card.name).savefig(figure)


@app.command()
def curve(
    model: Model = DEFAULT_MODEL,
    data: Data = None,
    epsilon: Epsilon = "10/255",
    p: Annotated[str, typer.Option(help="linf or l2.")] = "linf",
    most: Annotated[int, typer.Option(min=1, help="The largest number of craft images.")] = 2048,
    budget: Annotated[int, typer.Option(min=1, help="Image-gradients for each point.")] = 3200,
    seeds: Annotated[int, typer.Option(min=1, help="Repeat with this many seeds, 0, 1, ...")] = 1,
    out: Annotated[Path | None, typer.Option(help="Also write the rows: .csv or .json.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Also draw them: .png, .svg or .pdf.")] = None,
    folder: Models = None,
) -> None:
    """Fooling rate on the held-out images against the number of craft images: nested prefixes 1, 2, 4, ..."""
    from uap_core.crafting.default import Default
    from uap_core.experiments.sample_curve import nested_sizes, sample_curve
    from uap_core.norms import Ball

    _check(out, *TABLES)
    _check(figure, *FIGURES)
    classifier, ball = _zoo(folder).load(model), Ball.parse(epsilon, p)
    craft_set, held_out = _splits(classifier, data)
    method = Default(budget=budget)
    rows = []
    for seed in range(seeds):
        sizes = nested_sizes(min(most, len(craft_set)))
        for row in sample_curve(classifier, method, craft_set, held_out, ball, sizes, seed):
            if row.done:
                rows.append(row)
                print(f"seed {seed}  {row.images:6} images  held-out {row.held_out_rate}", flush=True)
    title = f"{classifier.card.name}, {ball}, {len(held_out)} held-out images"
    details = _provenance(classifier, held_out, 0) | {"seeds": seeds, "method": repr(method), "ball": str(ball)}
    _write(out, title, rows, details)
    if figure:
        from uap_core.plots import BLUE, Curve, sample_figure

        sample_figure([Curve(rows, held_out.name, BLUE)], title).savefig(figure)


@app.command()
def train(
    data: Annotated[Path, typer.Argument(help="Folder or zip with train/ and val/, one folder a class.")],
    key: Annotated[str, typer.Option(help="Name of the weights and of their card; the architecture's when left out.")] = "",
    out: Annotated[Path, typer.Option(help="Folder for weights and card.")] = MODELS,
    results: Annotated[Path, typer.Option(help="Folder for the training curve.")] = RESULTS,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Written after each epoch; go on from it. KEY.ckpt when left out.")
    ] = None,
    architecture: Annotated[str, typer.Option(help="resnet64, vgg64 or separable64.")] = "resnet64",
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the training images; the architecture's own when left out.")
    ] = None,
    epsilon: Annotated[str, typer.Option(help="Above 0: train on adversarial examples of this l_inf size, like 4/255.")] = "0",
    alpha: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="With --epsilon: share of the images that stay clean; the recipe's own when left out."),
    ] = None,
    against: Annotated[
        str, typer.Option(help="With --epsilon: attack each of the 'images' by itself, or all by one 'universal' pattern.")
    ] = "images",
    seed: Seed = 0,
) -> None:
    """Train an embedded network, attacked or not. Stop it at any time; the same command goes on."""
    from uap_core.norms import Ball
    from uap_core.training.publish import train_and_publish
    from uap_core.training.recipe import recipe_of

    attacked = Ball.parse(epsilon).radius
    recipe = recipe_of(architecture, epochs, seed, attacked, alpha, against)
    twin = "_universal" if against == "universal" else "_robust"
    key = key or architecture + (twin if attacked else "")
    checkpoint = checkpoint or Path(f"{key}.ckpt")
    for row in train_and_publish(data, key, architecture, out, results, checkpoint, recipe):
        print(
            f"epoch {row.epoch:3}  loss {row.loss:.3f}  top-1 {row.top1:.1%}  top-5 {row.top5:.1%}"
            f"  {row.images_per_second:.0f} images/s",
            flush=True,
        )


@app.command()
def fine_tune(
    data: Annotated[Path, typer.Argument(help="Folder or zip with train/ and val/, one folder a class of the network.")],
    model: Annotated[str, typer.Option(help="An embedded network.")] = DEFAULT_MODEL,
    rounds: Annotated[int, typer.Option(min=1, help="Each crafts new patterns and trains against them.")] = 2,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training images in each round.")] = 2,
    checkpoints: Annotated[Path, typer.Option(help="Folder to go on from when the command was stopped.")] = Path("rounds"),
    out: Annotated[Path, typer.Option(help="Folder for the table of rounds.")] = RESULTS,
) -> None:
    """Show a network the patterns that fool it, in rounds, and see what the next pattern does. Weights are not kept."""
    from uap_core.experiments.fine_tuning import RoundRow, fine_tune_and_publish

    for row in fine_tune_and_publish(data, model, rounds, epochs, checkpoints, out):
        if isinstance(row, RoundRow):
            print(
                f"round {row.round}: accuracy {row.clean_accuracy.value:.1%}, a new pattern fools {row.new_pattern}", flush=True
            )
        else:
            print(f"  epoch {row.epoch}  loss {row.loss:.3f}  {row.images_per_second:.0f} images/s", flush=True)


@app.command()
def dream(
    model: Model = DEFAULT_MODEL,
    out: Annotated[Path | None, typer.Option(help="Zip to write; assets/dreams/<model>.zip when left out.")] = None,
    count: Annotated[int, typer.Option(help="Images in all, half to craft on and half held out.")] = 512,
    seed: Seed = 0,
    folder: Models = None,
) -> None:
    """Dream images of every class of a network, by optimisation from noise."""
    from uap_core.training.dream import dream_set, write_dream_card

    path, classifier = out or dreams_path(model), _zoo(folder).load(model)
    for done, total in dream_set(classifier, count, path, seed):
        if done % 50 == 0:
            print(f"step {done} of {total}", flush=True)
    write_dream_card(classifier, count, path, seed)
    print(f"{count} dreams, {path.stat().st_size / 1e6:.1f} MB: {path}")


@app.command()
def library(
    fetch: Annotated[str, typer.Option(help="Download this pattern of the catalogue first.")] = "",
) -> None:
    """List the ready-made perturbations: what they were crafted on, how, and what they do to images never seen.

    Below them the catalogue: patterns that others published and that can be fetched.
    """
    from uap_core import catalogue
    from uap_core.library import library as ready_made

    if fetch:
        _say_progress(fetch, catalogue.fetch(catalogue.published(fetch)))
    for entry in ready_made():
        print(f"{entry.key:48} {entry.side:4}px  {entry.name:60} {entry.verdict}")
    for offer in catalogue.CATALOGUE:
        if not offer.path.is_file():
            print(f"{offer.key:48}  224px  {offer.name:60} to be fetched: {offer.licence}, {offer.source}")


@app.command()
def transfer(
    model: Annotated[list[str], typer.Option(help="Key of a network; name several, of one input size.")] = [DEFAULT_MODEL],  # noqa: B006
    data: Data = None,
    attack: Annotated[str, typer.Option(help="What makes the examples: deepfool, fgsm, pgd, lbfgs, ...")] = "deepfool",
    epsilon: Epsilon = "10/255",
    images: Annotated[int, typer.Option(min=1, help="Make examples from at most this many held-out images.")] = 100,
    out: Annotated[Path | None, typer.Option(help="Also write the rows: .csv or .json.")] = None,
    seed: Seed = 0,
    folder: Models = None,
) -> None:
    """Who fools whom: every pattern of the library on every network named, then examples made for each image on each.

    Beside them random signs and Gaussian noise of the same norm. A star marks what was made on that network.
    """
    import torch

    from uap_core.experiments.cross_model import cross_model, named_attack
    from uap_core.experiments.matrix import as_text, fooling_matrix
    from uap_core.experiments.shipped import L2_2000, LINF10
    from uap_core.library import library as ready_made
    from uap_core.norms import Ball
    from uap_core.perturbation import load_perturbation

    _check(out, *TABLES)
    called, maker = named_attack(attack, Ball.parse(epsilon).radius)
    zoo = _zoo(folder)
    networks = [zoo.load(key) for key in dict.fromkeys(model)]
    if len({network.size for network in networks}) > 1:
        raise SettingError("A pattern fits one size: name networks that take pictures of the same size.")
    held_out = _held_out(networks[0], data)
    some = held_out.shuffled(torch.Generator().manual_seed(seed)).prefix(images)
    patterns = [load_perturbation(entry.path) for entry in ready_made() if entry.side == networks[0].size]
    print(f"One pattern for all of {len(held_out)} images of {held_out.name}: fooling rates", flush=True)
    matrix = _told(fooling_matrix(patterns, networks, held_out, (LINF10, L2_2000), seed))
    print(as_text(matrix))
    print(f"\nExamples made for each of {len(some)} images of {held_out.name}: fooling rates, average distortion", flush=True)
    examples = _told(cross_model(networks, some, maker, called, seed))
    print(as_text(examples))
    details = _provenance(networks[0], held_out, seed) | {
        "network": ", ".join(network.card.key for network in networks),
        "weights_sha256": ", ".join(network.weights_hash for network in networks),
        "examples": f"of {len(some)} images by {maker}",
    }
    _write(out, f"Who fools whom, {len(held_out)} held-out images", [*matrix, *examples], details)


@app.command()
def halves(
    data: Annotated[Path, typer.Option(help="Folder or zip of pictures, one folder a class.")],
    attack: Annotated[list[str], typer.Option(help="What makes the examples; name several.")] = ["lbfgs", "deepfool"],  # noqa: B006
    epsilon: Epsilon = "10/255",
    out: Annotated[Path | None, typer.Option(help="Also write the rows: .csv or .json.")] = None,
    seed: Seed = 0,
) -> None:
    """Train small networks on two halves with no picture in common, and see whether examples fool across the halves."""
    from uap_core.experiments.cross_model import named_attack
    from uap_core.experiments.cross_training import LearnerRow, cross_training, open_for_halves
    from uap_core.experiments.matrix import as_text
    from uap_core.norms import Ball
    from uap_core.perturbation import versions

    _check(out, *TABLES)
    attacks = dict(named_attack(key, Ball.parse(epsilon).radius) for key in attack)
    craft_set, held_out = open_for_halves(data)
    rows: list[MatrixRow] = []
    accuracies: dict[str, str] = {}
    for row in cross_training(craft_set, held_out, attacks, seed):
        if isinstance(row, LearnerRow):
            accuracies[row.network] = str(row.accuracy)
            print(f"{row.network}  epoch {row.epoch:2}  accuracy {row.accuracy}", flush=True)
        else:
            rows.append(row)
    print(as_text(rows))
    stated = {"held_out": f"{len(held_out)} images of {held_out.name}", "accuracy": accuracies, "seed": seed, **versions()}
    _write(out, f"Trained on two halves of {len(craft_set)} images of {craft_set.name}", rows, stated)


@app.command()
def lipschitz(
    model: Model = DEFAULT_MODEL,
    data: Data = None,
    images: Annotated[int, typer.Option(min=1, help="Compare with attacks on at most this many held-out images.")] = 16,
    out: Annotated[
        Path | None, typer.Option(help="Also write the layers: .csv or .json; the images go beside it, NAME-certified.")
    ] = None,
    figure: Annotated[Path | None, typer.Option(help="Also draw the layers: .png, .svg or .pdf.")] = None,
    seed: Seed = 0,
    folder: Models = None,
) -> None:
    """How far can a change move the logits? Upper bounds of all layers, and what they certify beside what DeepFool finds."""
    import torch

    from uap_core.experiments.lipschitz import as_text, conclusion, layer_rows, radii

    _check(out, *TABLES)
    _check(figure, *FIGURES)
    classifier = _zoo(folder).load(model)
    held_out = _held_out(classifier, data).shuffled(torch.Generator().manual_seed(seed)).prefix(images)
    layers, found = [], []
    for layer in layer_rows(classifier, torch.Generator().manual_seed(seed)):
        layers.append(layer)
        print(as_text(layer), flush=True)
    for row in radii(classifier, held_out, layers[-1].running):
        found.append(row)
        needed = "nothing found" if row.found is None else f"found {row.found:.3g}"
        print(f"{row.image:28} {row.label:24} margin {row.margin:6.3f}  certified {row.certified:.2g}  {needed}", flush=True)
    print(conclusion(layers[-1].running, found))
    details = _provenance(classifier, held_out, seed)
    _write(out, f"{classifier.card.name}: layers", layers, details)
    _write(out and out.with_stem(f"{out.stem}-certified"), f"{classifier.card.name}: certified radii", found, details)
    if figure:
        from uap_core.plots import layers_figure

        layers_figure(layers, classifier.card.name).savefig(figure)


@app.command()
def defend(
    model: Model = DEFAULT_MODEL,
    perturbation: Annotated[
        Path | None, typer.Option(help="The fixed pattern; the ready-made one of this network when left out.")
    ] = None,
    data: Data = None,
    epsilon: Annotated[str, typer.Option(help="Radius of the ball, like 10/255; the pattern's own when left out.")] = "",
    budget: Annotated[int, typer.Option(min=1, help="Image-gradients for each pattern that is crafted anew.")] = 1000,
    images: Annotated[int, typer.Option(min=1, help="Craft on, and measure on, at most this many images.")] = 300,
    detector: Annotated[bool, typer.Option("--detector", help="Also the detector: AUC of each attack.")] = False,
    out: Annotated[Path | None, typer.Option(help="Also write the rows: .csv or .json.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Also draw them: .png, .svg or .pdf.")] = None,
    seed: Seed = 0,
    folder: Models = None,
) -> None:
    """What helps: JPEG, blur, bits, crop, trained twins; against a fixed pattern and one crafted anew through each."""
    import torch

    from uap_core.crafting.default import Default
    from uap_core.experiments.defences import Crafting, defence_rows
    from uap_core.experiments.detector import detector_rows
    from uap_core.models.defences import DEFENCES
    from uap_core.models.twins import trained_twins
    from uap_core.norms import Ball
    from uap_core.perturbation import load_perturbation

    _check(out, *TABLES)
    _check(figure, *FIGURES)
    zoo, method = _zoo(folder), Default(budget=budget)
    classifier, pattern = zoo.load(model), load_perturbation(perturbation or PERTURBATIONS / f"{model}-linf10.safetensors")
    pattern = pattern.scaled_to(Ball.parse(epsilon, pattern.ball.p).radius) if epsilon else pattern
    craft_set, held_out = (
        some.shuffled(torch.Generator().manual_seed(seed)).prefix(images) for some in _splits(classifier, data)
    )
    print(f"{pattern.name} ({pattern.ball}) on {classifier.card.name}, {len(held_out)} images of {held_out.name}", flush=True)
    print(f"{'defence':30} {'clean':>7} {'fixed':>7} {'anew':>7} {'signs':>7}  gradient", flush=True)
    rows = []
    for row in defence_rows(classifier, DEFENCES, pattern, craft_set, held_out, method, seed, trained_twins(zoo, model)):
        if not isinstance(row, Crafting):
            rows.append(row)
            rates = (row.clean, row.fixed, row.crafted_anew, row.random_signs)
            print(f"{row.defence:30} {' '.join(f'{rate.value:7.1%}' for rate in rates)}  {row.gradient}", flush=True)
    if detector:
        for points in detector_rows(classifier, pattern, held_out, torch.Generator().manual_seed(seed)):
            first = points[0]
            interval = f"{first.auc_low:.3f} to {first.auc_high:.3f}"
            print(f"entropy of a deep layer, {first.attack}: AUC {first.auc:.3f} ({interval})", flush=True)
    title = f"Defences, {classifier.card.name}: {len(held_out)} held-out images"
    crafted_on = f"{len(craft_set)} images of {craft_set.name}"
    stated = {"perturbation": pattern.name, "method": repr(method), "crafted_on": crafted_on}
    _write(out, title, rows, _provenance(classifier, held_out, seed) | stated)
    if figure:
        from uap_core.plots import defences_figure

        defences_figure(rows, title).savefig(figure)


@app.command()
def why(
    model: Model = DEFAULT_MODEL,
    perturbation: Annotated[
        Path | None, typer.Option(help="The universal pattern; the ready-made l2 one of this network when left out.")
    ] = None,
    data: Data = None,
    normals: Annotated[int, typer.Option(min=2, help="Take the normals of the boundary at so many craft images.")] = 100,
    images: Annotated[int, typer.Option(min=1, help="Measure on at most this many held-out images.")] = 200,
    out: Annotated[Path | None, typer.Option(help="Folder for the rows, a .json for each table.")] = None,
    seed: Seed = 0,
    folder: Models = None,
) -> None:
    """Why there are universal patterns: normals of the boundary, the directions that matter, and where the labels go."""
    import torch

    from uap_core.experiments import directions, dominant
    from uap_core.experiments.normals import lengths, spectrum, steepness, subspace_rates, unit_normals
    from uap_core.metrics import predict
    from uap_core.perturbation import load_perturbation

    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    classifier = _zoo(folder).load(model)
    pattern = load_perturbation(perturbation or PERTURBATIONS / f"{model}-l2.safetensors")
    generator = torch.Generator().manual_seed(seed)
    craft_set, held_out = _splits(classifier, data)
    craft_set, held_out = craft_set.shuffled(generator).prefix(normals), held_out.shuffled(generator).prefix(images)
    print(f"{classifier.card.name}: normals of {len(craft_set)} craft images, measured on {len(held_out)} others", flush=True)
    found = torch.cat(list(unit_normals(classifier, craft_set)))
    values = spectrum(found, generator)
    for kind, factor in steepness(values).items():
        first, last = (next(row.value for row in rows if row.kind == kind) for rows in (values, values[::-1]))
        print(f"singular values of {kind:24} from {first:.3f} down to {last:.3f}: {factor:.3g} times", flush=True)
    clean = predict(classifier, held_out.batches())
    spaces, rates = [], []
    for space in subspace_rates(classifier, found, held_out, clean, lengths(classifier.size), generator):
        spaces.append(space)
        print(f"l2 {space.norm * 255:.0f}/255  {space.space}, {space.dimension} dimensions: {space.fooling_rate}", flush=True)
    draws = directions.blind_directions(pattern.pattern, craft_set, generator)
    draws |= directions.adversarial_directions(found, generator)
    draws |= directions.fast_directions(classifier, craft_set, generator)
    for row in directions.direction_rates(classifier, held_out, clean, draws):
        rates.append(row)
        print(f"l2 {row.norm * 255:4.0f}/255  {row.direction:30} {row.fooling_rate}", flush=True)
    *_, moves = dominant.label_moves(classifier, pattern, held_out)
    graph = dominant.edges(moves)
    for label, into in list(dominant.hubs(graph).items())[:10]:
        print(f"{label:24} is what {len(into)} labels mostly become ({sum(edge.rate.count for edge in into)} images)")
    for count in (1, 3, 10):
        print(f"labels that take most, {count:2}: {dominant.share_of_top(moves, count)}")
    print(f"connected parts of the graph: {len(dominant.components(graph))}")
    details = _provenance(classifier, held_out, seed) | {"normals_of": len(craft_set), "perturbation": pattern.name}
    for name, table in (("normals", values), ("subspace", spaces), ("directions", rates), ("dominant", moves)):
        _write(out and out / f"{model}-{name}.json", classifier.card.name, table, details)


class Part(str, Enum):
    """What `publish` computes."""

    library = "library"
    sweep = "sweep"
    matrix = "matrix"
    transfer = "transfer"
    curves = "curves"
    convergence = "convergence"
    ablations = "ablations"
    defences = "defences"
    why = "why"
    lipschitz = "lipschitz"


@app.command()
def publish(
    data: Annotated[Path, typer.Option(help="Folder or zip of real 64x64 pictures, for the embedded network.")],
    imagenet: Annotated[
        Path | None, typer.Option(help="Folder or zip of ImageNet pictures, for the ImageNet networks.")
    ] = None,
    part: Annotated[list[Part] | None, typer.Option(help="Only this; name several. Everything when left out.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only for this network; name several.")] = None,
    photo: Annotated[str, typer.Option(help="Sample photograph that the page opens with.")] = "lion",
    plan: Annotated[bool, typer.Option("--plan", help="Only say what is missing, and about how long it takes.")] = False,
    folder: Models = None,
) -> None:
    """Compute what ships: the perturbations, and what the page shows as precomputed.

    What is there is left alone, what was stopped goes on; several of these may run side by side on different networks.
    """
    from uap_core.experiments.materials import Materials, minutes
    from uap_core.experiments.publish import PARTS, jobs, state_on_dream_card
    from uap_core.experiments.shipped import IMAGENET, OTHERS
    from uap_core.images import SAMPLE_PHOTOS
    from uap_core.ui.opening import write_opening

    keys = model or [DEFAULT_MODEL, *OTHERS, *(IMAGENET if imagenet else ())]
    sources = {64: data} | ({224: imagenet} if imagenet else {})
    materials = Materials(_zoo(folder), sources)
    if photo not in {sample.key for sample in SAMPLE_PHOTOS}:
        raise SettingError(f"There is no sample photograph {photo!r}.")
    every = jobs(materials, [p.value for p in part or []] or PARTS, keys)
    waiting = [job for job in every if not job.is_done()]
    print(f"{len(waiting)} files to make, about {minutes(waiting, materials):.0f} minutes of crafting here", flush=True)
    if plan:
        print("\n".join(f"{job.part} {job.name}" for job in waiting))
        return
    for job in every:
        if job.is_done():  # asked again: an earlier job may have changed what this one starts from
            continue
        for line in job.run():
            print(f"{job.part} {job.name}  {line}", flush=True)
    if DEFAULT_MODEL in keys:
        write_opening(DEFAULT_MODEL, PERTURBATIONS / f"{DEFAULT_MODEL}-linf10.safetensors", photo)
        state_on_dream_card(DEFAULT_MODEL, RESULTS, dreams_path(DEFAULT_MODEL).with_suffix(".json"))


def _check(path: Path | None, *endings: str) -> None:
    """Before any work: refuse a file that could not be written at its end, and make its folder."""
    if path is None:
        return
    if path.suffix not in endings:
        raise SettingError(f"{path.name!r} must end in {' or '.join(endings)}.")
    path.parent.mkdir(parents=True, exist_ok=True)


def _say_progress(name: str, fetching: Iterable[Fetched]) -> None:
    """A line for every tenth of a download."""
    told = -1
    for fetched in fetching:
        if int(10 * fetched.share) > told:
            told = int(10 * fetched.share)
            print(f"{name}  {fetched}", flush=True)


def _zoo(folder: Path | None) -> Zoo:
    return Zoo([folder] if folder else None)


def _source(classifier: Classifier, data: Path | None) -> Path:
    source = data or dreams_for(classifier.card)
    if data is None and not source.exists():
        raise DatasetError(f"There are no dreams of {classifier.card.name} yet; name a folder or zip with --data.")
    return source


def _splits(classifier: Classifier, data: Path | None) -> tuple[ImageSet, ImageSet]:
    from uap_core.datasets import open_splits

    card = classifier.card
    return open_splits(_source(classifier, data), card.resize_size, card.input_size, interpolation=card.interpolation)


def _held_out(classifier: Classifier, data: Path | None) -> ImageSet:
    from uap_core.datasets import open_held_out

    card = classifier.card
    return open_held_out(_source(classifier, data), card.resize_size, card.input_size, interpolation=card.interpolation)


def _told(rows: Iterable[MatrixRow]) -> list[MatrixRow]:
    """All rows, each told when it is there."""
    found = []
    for row in rows:
        found.append(row)
        print(f"{row.perturbation} on {row.network}: {row.fooling_rate}", flush=True)
    return found


def _provenance(classifier: Classifier, images: ImageSet, seed: int) -> dict[str, Any]:
    from uap_core.perturbation import versions

    return {
        "network": classifier.card.key,
        "weights_sha256": classifier.weights_hash,
        "held_out": f"{len(images)} images of {images.name}",
        "seed": seed,
        **versions(),
    }


def _print_evaluation(measured: Any, title: str) -> None:
    print(title)
    print(f"  fooling rate      {measured.universal}")
    print(f"  random signs      {measured.random_signs}")
    if measured.target_rate is not None:
        print(f"  into the target   {measured.target_rate}")
    print(f"  no change         {measured.nothing.value:.1%}")
    if measured.clean_accuracy is not None:
        print(f"  accuracy          {measured.clean_accuracy.value:.1%} -> {measured.perturbed_accuracy.value:.1%}")
    print(f"  dominant label    {measured.dominant_label} ({measured.dominant_share.value:.1%} of perturbed predictions)")


def _write(path: Path | None, title: str, rows: list[Any], provenance: dict[str, Any]) -> None:
    if path is None:
        return
    from uap_core.tables import Table, to_csv, write_table

    if path.suffix == ".csv":
        path.write_text(to_csv(rows), encoding="utf-8")
    else:
        write_table(Table(title, rows, provenance), path)


def main() -> None:
    """Run a command; an error of ours, or of a file or folder, becomes one sentence and exit status 1."""
    try:
        app()
    except (UapError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
