"""serve: the page, from `uap serve` and from `python app.py` alike."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from uap_core.errors import DatasetError, UapError
from uap_core.models.allocator import keep_freed_memory
from uap_core.settings import WORDS, limits


def prepare() -> None:
    """Set what must be settled before Gradio and torch are imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # it would look up a host otherwise
    # It would also keep ten thousand events and sum all of them up after each: memory that grows, time that clicks wait for.
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)
    # torch's threads would spin while they wait for each other, on processors that a browser or another visitor's click needs,
    # and all would come to a crawl.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if os.environ.get("SPACE_HOST"):  # only the Space's proxy reaches it: visitors are told apart by what it says of them
        os.environ.setdefault("FORWARDED_ALLOW_IPS", "*")
    if os.environ.get("SPACES_ZERO_GPU"):
        import spaces  # noqa: F401 - on a Space that lends graphics cards, before anything else asks for one


def variables() -> str:
    """The environment variables that `serve` heeds, a line each. Raises SettingError for one that cannot be read."""
    words = "\n".join(f"  {name}={os.environ.get(name, '')}  {meaning}" for name, meaning in WORDS.items())
    return (
        f"\b\nEnvironment variables:\n{limits().described()}\n{words}\n  UAP_DEVICE=cpu  where networks compute: cpu or cuda\n"
        "  UAP_LANGUAGE=en  language of the page: en, or one that has a catalogue in uap_core/locale"
    )


def serve(
    models: Annotated[Path | None, typer.Option(help="A further folder of network cards (JSON).")] = None,
    images: Annotated[Path | None, typer.Option(help="A folder or zip of your own pictures for the live measurements.")] = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on, such as 0.0.0.0; this machine only when left out.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port; the first free one from 7860 when left out.")] = None,
    share: Annotated[bool, typer.Option("--share", help="A public address through Gradio's servers.")] = False,
) -> None:
    """See universal adversarial perturbations in the browser: open the page."""
    prepare()
    if images is not None:
        _check_pictures(images)
    gc.disable()  # a sixth of the start was a search for waste among what is there to stay; page.attend lets it go on
    from uap_core.ui.serving.folders import settle_folders
    from uap_core.ui.serving.ports import settle_port

    host, port = settle_port(host, port)
    settle_folders()
    from uap_core.ui.page import serve

    serve(models, images, host, port, share)


def _check_pictures(images: Path) -> None:
    """Look at the names alone, of files or in a zip's table of contents. Raises DatasetError where there are no pictures."""
    from uap_core.datasets.listing import listing

    names, _ = listing(images)
    if not names:
        raise DatasetError(f"No picture was found in {images.name!r}. Put pictures there, one folder a class.")


class ServeCommand(TyperCommand):
    """Append the environment variables and their present values to --help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # click's or typer's own, by version
        """Write the help. Raises SettingError for a variable that cannot be read."""
        self.epilog, self.rich_markup_mode = variables(), None
        super().format_help(ctx, formatter)


def run(app: typer.Typer) -> None:
    """Run a command; an error of this project, of a file or folder, becomes one sentence and exit status 1."""
    keep_freed_memory()
    try:
        app()
    except (UapError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


def main() -> None:
    """Do what `python app.py` does: `serve` alone."""
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command(cls=ServeCommand)(serve)
    run(app)
