"""uap, or python -m uap_core: from the command line, what the page does, and how everything that ships was made."""

from __future__ import annotations

import typer

from uap_core.cli.applying import apply
from uap_core.cli.crafting import convert, craft
from uap_core.cli.defending import defend
from uap_core.cli.explaining import lipschitz, why
from uap_core.cli.feeling import feel, limit
from uap_core.cli.geometric import attack_cloud, attack_graph, attack_shape, publish_geometric
from uap_core.cli.measuring import curve, evaluate, sweep
from uap_core.cli.models import fetch, models
from uap_core.cli.publishing import library, publish
from uap_core.cli.serving import ServeCommand, run, serve
from uap_core.cli.training import check_dreams, dream, fine_tune, train
from uap_core.cli.transferring import halves, transfer

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
    *(library, transfer, halves, lipschitz, defend, why, feel, limit, publish),
    *(attack_graph, attack_cloud, attack_shape, publish_geometric),
):
    app.command()(command)


def main() -> None:
    """Run what the command line says."""
    run(app)


if __name__ == "__main__":
    main()
