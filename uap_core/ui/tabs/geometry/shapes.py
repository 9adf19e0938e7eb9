"""Deformable shapes: one change of the spectrum for all, shown by each in its own way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.errors import SettingError
from uap_core.i18n import _
from uap_core.ui.html.tables import wide
from uap_core.ui.runtime.list_choice import on_choice
from uap_core.ui.runtime.run_queue import Line
from uap_core.ui.sidebar import Setup
from uap_core.ui.tabs.geometry.figures import distortions
from uap_core.ui.tabs.geometry.rates import shapes_chart
from uap_core.ui.tabs.geometry.shape_view import (
    CHANGES,
    NAMES,
    UNIVERSAL,
    animal_of,
    changed,
    changing_parts,
    own_mesh,
    own_shape,
)
from uap_core.ui.tabs.geometry.stage import WAIT, Part, alone, stage
from uap_core.ui.tabs.geometry.working import Work
from uap_core.ui.uploads import path_of
from uap_core.ui.widgets import QUICK, awaited, saying, status

if TYPE_CHECKING:
    from uap_core.geometric.files.meshes import Mesh
    from uap_core.geometric.shapes.deform import Shape

LARGE = 5000  # vertices, from which a change takes longer than a click should


@dataclass(frozen=True)
class Places:
    """The view's components: choices, what is shown, and what is remembered."""

    animal: gr.Dropdown
    change: gr.Dropdown
    said: gr.HTML
    work_row: gr.Row
    drawn: gr.HTML
    another: gr.Button
    chart: gr.HTML
    own: gr.File
    seed: gr.State
    mine: gr.State
    wanted: gr.State

    def shown(self) -> list[Any]:
        """What every answer fills."""
        return [self.said, self.drawn, self.seed]


def build(line: Line, setup: Setup) -> Part:
    """Lay out and wire the view. Nothing is computed before it is looked at."""
    with gr.Column(elem_id="geo-shapes", visible=False) as column:
        at = _lay_out()
    work = Work(line, [*at.shown(), at.mine, at.animal], "geo-shape-stop")
    with at.work_row:
        work.laid_out()
    views = Views(at, work)
    inputs = [at.animal, at.change, at.seed, at.mine, at.wanted]
    for choice in (at.animal, at.change):
        chosen = on_choice(setup, choice)
        chosen(**WAIT, outputs=at.said)
        chosen(saying(at.said)(alone(views.look)), inputs, [*at.shown(), at.wanted], **QUICK)
    at.another.click(**WAIT, outputs=at.said)
    at.another.click(saying(at.said)(alone(views.other)), inputs, [*at.shown(), at.wanted], **QUICK)
    work.wire(at.wanted.change, views.large, [at.change, at.seed, at.mine])
    work.wire(at.own.upload, views.read_mesh, [at.own, at.change])
    return Part(column, at.said, [*at.shown(), at.chart], alone(views.first))


def _lay_out() -> Places:
    with gr.Row():
        kinds = [(_(label), key) for key, label in NAMES.items()] + [(_("Your own"), "own")]
        animal = gr.Dropdown(kinds, value="horse", label=_("Animal"), interactive=True, elem_id="geo-animal")
        choices = [(_(label), key) for label, key in CHANGES]
        change = gr.Dropdown(choices, value=UNIVERSAL, label=_("Change"), interactive=True, elem_id="geo-spectral")
    said = gr.HTML(awaited(), elem_id="geo-shape-said")
    work_row = gr.Row(elem_classes="run-row")
    drawn = stage("geo-shape-stage")
    another = gr.Button(_("Another body in another pose"), size="sm", elem_id="geo-new-shape", scale=0, min_width=220)
    chart = gr.HTML(elem_id="geo-shape-rates", elem_classes="chart")
    with gr.Accordion(_("Your own mesh"), open=False, elem_id="geo-own-mesh"):
        own = gr.File(label=_("OBJ, PLY or OFF, at most 20 000 vertices"), height=120, elem_id="geo-mesh-file")
    return Places(animal, change, said, work_row, drawn, another, chart, own, gr.State(0), gr.State(None), gr.State(0))


@dataclass(frozen=True)
class Views:
    """What the view's events answer."""

    at: Places
    work: Work

    def look(self, animal: str, change: str, number: int, given: Any, asked: int) -> dict[Any, Any]:
        """A shape before and after a change."""
        if animal != "own":
            return self._filled(changed(animal_of(animal, number), change, number), "", number)
        if given is None:
            raise SettingError(_("Open a file with a mesh below."))
        if len(given[0].points) > LARGE:
            return {self.at.said: awaited(), self.at.wanted: asked + 1, self.at.seed: number}
        return self._filled(changed(given[0], change, number), given[1], number)

    def first(self) -> dict[Any, Any]:
        """What stands here when the view is opened."""
        rates = shapes_chart() + wide(_("How large changes are"), distortions())
        return {**self.look("horse", UNIVERSAL, 0, None, 0), self.at.chart: rates}

    def other(self, animal: str, change: str, number: int, given: Any, asked: int) -> dict[Any, Any]:
        """Another body of the family."""
        return self.look(animal, change, number + 1, given, asked)

    def large(self, change: str, number: int, given: Any) -> Iterator[Any]:
        """A large mesh of a visitor's, as a run."""
        if given is not None:
            yield from self.work.in_turn(self._own(given, change, number))

    def read_mesh(self, file: dict[str, Any] | None, change: str) -> Iterator[Any]:
        """The mesh of a file and its change; a large one waits its turn."""
        found = own_mesh(path_of(file) or "")
        if len(found.points) > LARGE:
            yield from self.work.in_turn(self._opened(found, change))
        else:
            yield from self._opened(found, change)

    def _opened(self, mesh: Mesh, change: str) -> Iterator[dict[Any, Any]]:
        yield {self.at.said: status(_("Eigenvalues of {count} vertices…").format(count=len(mesh.points)))}
        given = own_shape(mesh)
        for found in self._own(given, change, 0):
            yield {**found, self.at.mine: given} if self.at.drawn in found else found

    def _own(self, given: tuple[Shape, str], change: str, number: int) -> Iterator[dict[Any, Any]]:
        """With what is drawn in the end the list says whose it is: meanwhile another animal may have been chosen."""
        for found in self._deformed(given, change, number):
            yield {**found, self.at.animal: "own"} if self.at.drawn in found else found

    def _deformed(self, given: tuple[Shape, str], change: str, number: int) -> Iterator[dict[Any, Any]]:
        for found in self.work.counted(changing_parts(given[0], change, number), _("Deforming")):
            yield found if isinstance(found, dict) else self._filled(found, given[1], number)

    def _filled(self, found: tuple[str, str], note: str, number: int) -> dict[Any, Any]:
        return {self.at.said: status(found[0] + note), self.at.drawn: found[1], self.at.seed: number}
