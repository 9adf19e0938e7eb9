"""What a command leaves behind: lines as they come, and tables with the provenance they were computed under."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from uap_core.errors import SettingError
from uap_core.io.atomic import check_place, write_whole

if TYPE_CHECKING:
    from uap_core.datasets.image_sets import ImageSet
    from uap_core.experiments.evaluation import Evaluation
    from uap_core.io.download import Fetched
    from uap_core.models.classifier import Classifier

TABLES, FIGURES = (".csv", ".json"), (".png", ".svg", ".pdf")
Row = TypeVar("Row")


def check_file(path: Path | None, *endings: str) -> None:
    """Before any work: make the folder of ``path``. Raises SettingError for a file that could not be written at its end.

    The path may have another ending, be a folder, or lie where nothing can be written.
    """
    if path is None:
        return
    if path.suffix not in endings:
        raise SettingError(f"{path.name!r} must end in {' or '.join(endings)}.")
    try:
        check_place(path)
    except OSError as error:
        raise SettingError(f"{str(path)!r} cannot be written ({error.strerror}). Name another file.") from error


def check_other(path: Path | None, source: Path) -> None:
    """Raise SettingError where ``path`` is the file that is read, ``source``: it would be lost."""
    if path is not None and path.exists() and source.exists() and path.samefile(source):
        raise SettingError(f"{path.name!r} is the file that is read. Name another one to write.")


def check_table_and_figure(table: Path | None, figure: Path | None) -> None:
    """``check_file`` for the two that most experiments may write."""
    check_file(table, *TABLES)
    check_file(figure, *FIGURES)


def tell(rows: Iterable[Row], line: Callable[[Row], str]) -> list[Row]:
    """Collect all rows; print the ``line`` of each as soon as it arrives."""
    found = []
    for row in rows:
        found.append(row)
        print(line(row), flush=True)
    return found


def tell_download(name: str, fetching: Iterable[Fetched]) -> None:
    """A line for every tenth of a download."""
    told = -1
    for fetched in fetching:
        if int(10 * fetched.share) > told:
            told = int(10 * fetched.share)
            print(f"{name}  {fetched}", flush=True)


def tell_evaluation(measured: Evaluation, title: str) -> None:
    """What a pattern does, a line a figure, under a ``title``."""
    from uap_core.experiments.evaluation import DOMINANT

    print(title)
    print(f"  fooling rate      {measured.universal}")
    print(f"  random signs      {measured.random_signs}")
    if measured.target_rate is not None:
        print(f"  into the target   {measured.target_rate}")
    if measured.clean_accuracy is not None and measured.perturbed_accuracy is not None:
        print(f"  accuracy          {measured.clean_accuracy.value:.1%} -> {measured.perturbed_accuracy.value:.1%}")
    if measured.corrections is not None:
        print(f"  corrected         {measured.corrections} wrong before, right under the pattern")
    shares = ", ".join(f"{share.value:.1%} in {top}" for top, share in zip(DOMINANT, measured.dominance, strict=True))
    print(f"  dominance ratio   {shares}")
    print(f"  dominant label    {measured.dominant_label} ({measured.dominant_share.value:.1%} of perturbed predictions)")


def provenance(classifier: Classifier, images: ImageSet, seed: int) -> dict[str, Any]:
    """Network and weights' hash, images, seed and versions: what every table states."""
    from uap_core.perturbations.perturbation import versions

    return {
        "network": classifier.card.key,
        "weights_sha256": classifier.weights_hash,
        "held_out": f"{len(images)} images of {images.name}",
        "seed": seed,
        **versions(),
    }


def write_rows(path: Path | None, title: str, rows: list[Any], details: dict[str, Any]) -> None:
    """To .csv the rows alone, to .json with title and provenance; nothing without a ``path``."""
    if path is None:
        return
    from uap_core.io.results import Table, to_csv, write_table

    if path.suffix == ".csv":
        write_whole(path, to_csv(rows).encode())
    else:
        write_table(Table(title, rows, details), path)
