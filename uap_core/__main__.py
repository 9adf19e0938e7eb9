"""uap, or python -m uap_core: from the command line, what the page does, and how everything that ships was made."""

from __future__ import annotations

import typer

from uap_core.commands.applying import apply
from uap_core.commands.crafting import convert, craft
from uap_core.commands.defending import defend
from uap_core.commands.explaining import lipschitz, why
from uap_core.commands.measuring import curve, evaluate, sweep
from uap_core.commands.models import fetch, models
from uap_core.commands.publishing import library, publish
from uap_core.commands.serving import ServeCommand, run, serve
from uap_core.commands.training import check_dreams, dream, fine_tune, train
from uap_core.commands.transferring import halves, transfer

app = typer.Typer(
    help="Universal adversarial perturbations: see, apply, craft, evaluate, sweep; train and dream for the embedded networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
# In the order of --help.
app.command(cls=ServeCommand)(serve)
for command in (
    *(apply, models, fetch, craft, convert, evaluate, sweep, curve, train, fine_tune, dream, check_dreams),
    *(library, transfer, halves, lipschitz, defend, why, publish),
):
    app.command()(command)


def main() -> None:
    """Run what the command line says."""
    run(app)


if __name__ == "__main__":
    main()
