"""train, fine-tune, dream: make the embedded networks and their class impressions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uap_core.cli.inputs import craft_and_held_out, open_zoo
from uap_core.cli.options import FigureFile, Folder, Model, Seed
from uap_core.cli.outputs import FIGURES, check_file, tell
from uap_core.errors import SettingError
from uap_core.io.paths import MODELS, RESULTS, dreams_path
from uap_core.models.zoo import QUICK_MODEL

if TYPE_CHECKING:
    from uap_core.training.loop import EpochRow


def train(
    data: Annotated[Path, typer.Argument(help="Folder or zip with train/ and val/, one folder a class.")],
    key: Annotated[str, typer.Option(help="Name of the weights and of their card; the architecture's when left out.")] = "",
    out: Annotated[Path, typer.Option(help="Folder for weights and card.")] = MODELS,
    results: Annotated[Path, typer.Option(help="Folder for the training curve.")] = RESULTS,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Written after each epoch; go on from it. KEY.ckpt when left out.")
    ] = None,
    architecture: Annotated[str, typer.Option(help="resnet64, vgg64, separable64 or vit64.")] = "resnet64",
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the training images; the architecture's own when left out.")
    ] = None,
    epsilon: Annotated[str, typer.Option(help="Above 0: train on adversarial examples of this l_inf size, like 4/255.")] = "0",
    alpha: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="With --epsilon: share of the images that stay clean; the recipe's own when left out."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="With --epsilon: attack each of the 'images' by itself (when left out), or all by one 'universal' pattern."
        ),
    ] = None,
    figure: FigureFile = None,
    seed: Seed = 0,
) -> None:
    """Train an embedded network, attacked or not. Stop it at any time; the same command continues."""
    from uap_core.norms import Ball
    from uap_core.training.export import train_and_publish
    from uap_core.training.recipe import IMAGES, UNIVERSAL
    from uap_core.training.recipes import recipe_of

    check_file(figure, *FIGURES)
    attacked = Ball.parse(epsilon).radius
    if not attacked and (alpha is not None or against is not None):
        raise SettingError("--alpha and --against are of attacks in training: name an --epsilon above 0, or leave them out.")
    recipe = recipe_of(architecture, epochs, seed, attacked, alpha, IMAGES if against is None else against)
    twin = "_universal" if against == UNIVERSAL else "_robust"
    key = key or architecture + (twin if attacked else "")
    checkpoint = checkpoint or Path(f"{key}.ckpt")
    rows = tell(train_and_publish(data, key, architecture, out, results, checkpoint, recipe), _epoch)
    if figure:
        from uap_core.plots.training import training_figure

        training_figure(rows, f"Training of {key}").savefig(figure)


def _epoch(row: EpochRow) -> str:
    shares = f"loss {row.loss:.3f}  top-1 {row.top1:.1%}  top-5 {row.top5:.1%}"
    return f"epoch {row.epoch:3}  {shares}  {row.images_per_second:.0f} images/s"


def fine_tune(
    data: Annotated[Path, typer.Argument(help="Folder or zip with train/ and val/, one folder a class of the network.")],
    model: Annotated[str, typer.Option(help="An embedded network.")] = QUICK_MODEL,
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


def dream(
    model: Model = QUICK_MODEL,
    out: Annotated[Path | None, typer.Option(help="Zip to write; assets/dreams/<model>.zip when left out.")] = None,
    count: Annotated[int, typer.Option(help="Images in all, half to craft on and half held out.")] = 512,
    photographs: Annotated[
        Path | None,
        typer.Option(
            help="Keep to statistics measured on these pictures to craft on: for networks without batch normalisation."
        ),
    ] = None,
    seed: Seed = 0,
    folder: Folder = None,
) -> None:
    """Optimise class impressions of a network from noise. Stop it at any time; the same command continues."""
    from uap_core.models.loaders import load
    from uap_core.training.impression_set import OWN, dream_set, set_for, write_dream_card
    from uap_core.training.statistics import measured, trained

    path, classifier = out or dreams_path(model), load(open_zoo(folder).card(model), fold=False)
    if photographs is None and not trained(classifier):
        raise SettingError(f"{classifier.card.name} has no batch norms to keep to. Name --photographs to measure statistics.")
    craft = craft_and_held_out(classifier, photographs)[0] if photographs else None
    kept_to = measured(classifier, craft.batches()) if craft else None
    wanted = set_for(model, count, seed, f"its convolutions over {len(craft)} images of {craft.name}" if craft else OWN)
    for done, total in dream_set(classifier, path, wanted, kept_to):
        if done % 50 == 0:
            print(f"step {done} of {total}", flush=True)
    write_dream_card(classifier, path, wanted)
    print(f"{count} dreams, {path.stat().st_size / 1e6:.1f} MB: {path}")


def check_dreams(
    data: Annotated[Path, typer.Argument(help="Folder or zip of photographs that the network takes, craft/ and eval/.")],
    model: Model = QUICK_MODEL,
    dreams: Annotated[Path | None, typer.Option(help="Zip of dreams; assets/dreams/<model>.zip when left out.")] = None,
    also: Annotated[list[str] | None, typer.Option(help="Another network that may measure on them; name several.")] = None,
    folder: Folder = None,
) -> None:
    """Compare a network's class impressions with photographs, and write the figures to the card beside them."""
    from uap_core.experiments.impression_checks import check_dreams as checked

    card = checked(open_zoo(folder), model, also or [], dreams or dreams_path(model), data)
    for name, found in card["checked"]["networks"].items():
        for what in ("accuracy", "fooling_rate", "random_signs"):
            print(f"{name:24} {what:12} " + "  ".join(f"{side} {value:.1%}" for side, value in found[what].items()))
    share = card["checked"]["crafted"]["share"]
    print(f"crafted on dreams: {share:.1%} of the rate; valid for: {', '.join(card['valid_for']) or 'none'}")
