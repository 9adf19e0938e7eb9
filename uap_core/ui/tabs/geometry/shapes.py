"""Deformable shapes: one change of the spectrum for all, shown by each in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from uap_core.errors import SettingError
from uap_core.i18n import N_, _
from uap_core.ui.html.tables import wide
from uap_core.ui.tabs.geometry.figures import distortions
from uap_core.ui.tabs.geometry.rates import shapes_chart
from uap_core.ui.tabs.geometry.stage import WAIT, Part, dot, rounded, solids_html, stage, uploaded
from uap_core.ui.widgets import QUICK, awaited, saying, status

if TYPE_CHECKING:
    from uap_core.geometric.files.meshes import Mesh
    from uap_core.geometric.shapes.deform import Shape

NAMES = {
    "horse": N_("horse"),
    "giraffe": N_("giraffe"),
    "dog": N_("dog"),
    "hippo": N_("hippo"),
    "lion": N_("lion"),
    "lizard": N_("lizard"),
    "sheep": N_("sheep"),
    "cat": N_("cat"),
}
UNIVERSAL, RANDOM, OWN = "universal", "random", "own"
CHANGES = (
    (N_("the universal change of the spectrum"), UNIVERSAL),
    (N_("a random change of that size"), RANDOM),
    (N_("the smallest change made for this shape"), OWN),
)
NEW = 5000  # seeds of bodies that no table was made with
BRIGHT = 0.25  # a displacement, in radii, that is drawn in full colour


def build() -> Part:
    """Lay out and wire the view. Nothing is computed before it is looked at."""
    seed, mine = gr.State(0), gr.State(None)
    with gr.Column(elem_id="geo-shapes", visible=False) as column:
        with gr.Row():
            kinds = [(_(label), key) for key, label in NAMES.items()] + [(_("Your own"), "own")]
            animal = gr.Dropdown(kinds, value="horse", label=_("Animal"), interactive=True, elem_id="geo-animal")
            choices = [(_(label), key) for label, key in CHANGES]
            change = gr.Dropdown(choices, value=UNIVERSAL, label=_("Change"), interactive=True, elem_id="geo-spectral")
        said = gr.HTML(awaited(), elem_id="geo-shape-said")
        drawn = stage("geo-shape-stage")
        another = gr.Button(_("Another body in another pose"), size="sm", elem_id="geo-new-shape", scale=0, min_width=220)
        chart = gr.HTML(elem_id="geo-shape-rates", elem_classes="chart")
        with gr.Accordion(_("Your own mesh"), open=False, elem_id="geo-own-mesh"):
            own = gr.File(
                label=_("OBJ, PLY or OFF, at most 20 000 vertices (the largest take about 10 s)"),
                height=120,
                elem_id="geo-mesh-file",
            )

    def look(animal: str, change: str, number: int, given: Any) -> dict[Any, Any]:
        if animal == "own" and given is None:
            raise SettingError(_("Open a file with a mesh below."))
        shape, note = given if animal == "own" else (animal_of(animal, number), "")
        sentence, picture = changed(shape, change, number)
        return {said: status(sentence + note), drawn: picture, seed: number}

    def first() -> dict[Any, Any]:
        return {
            **look("horse", UNIVERSAL, 0, None),
            chart: shapes_chart() + wide(_("How large changes are"), distortions()),
        }

    def other(animal: str, change: str, number: int, given: Any) -> dict[Any, Any]:
        return look(animal, change, number + 1, given)

    def read(path: str | None, change: str) -> dict[Any, Any]:
        found = own_shape(path or "")
        return {**look("own", change, 0, found), mine: found, animal: "own"}

    shown, inputs = [said, drawn, seed], [animal, change, seed, mine]
    for choice in (animal, change):
        choice.input(**WAIT, outputs=said)
        choice.input(saying(said)(look), inputs, shown, **QUICK)
    another.click(**WAIT, outputs=said)
    another.click(saying(said)(other), inputs, shown, **QUICK)
    own.upload(**WAIT, outputs=said)
    own.upload(saying(said)(read), [own, change], [*shown, mine, animal], **QUICK)
    return Part(column, said, [*shown, chart], first)


def animal_of(name: str, seed: int) -> Shape:
    """A new body of a family in a pose of its own. Raises SettingError for a family that there is not."""
    from uap_core.geometric.shapes.bodies import CLASSES, FAMILIES
    from uap_core.geometric.shapes.classifier import EIGENVALUES
    from uap_core.geometric.shapes.deform import shape_of
    from uap_core.geometric.shapes.posing import draw_body
    from uap_core.geometric.shapes.stored import stored_shapes

    if name not in CLASSES:
        raise SettingError(_("There is no such animal; choose one of the list."))
    body = draw_body(FAMILIES[name], np.random.default_rng(NEW + seed))
    return shape_of(*stored_shapes().mesh(CLASSES.index(name), body), EIGENVALUES)


def own_shape(path: str) -> tuple[Shape, str]:
    """A visitor's mesh with its spectrum, and what was done to it."""
    from uap_core.geometric.files.meshes import open_mesh
    from uap_core.geometric.shapes.classifier import EIGENVALUES
    from uap_core.geometric.shapes.deform import shape_of

    mesh = open_mesh(uploaded(path))
    return shape_of(mesh.points, mesh.faces, EIGENVALUES), mended(mesh)


def mended(mesh: Mesh) -> str:
    """What was left out of a visitor's mesh, in sentences, and that the network knows no such thing."""
    said = [_(" The network knows eight animals only, so its answer says which of them has the most similar spectrum.")]
    if mesh.unused:
        said.append(_(" {count} vertices belong to no triangle and were left out.").format(count=mesh.unused))
    if mesh.flat:
        said.append(_(" {count} triangles have no area and were left out.").format(count=mesh.flat))
    if mesh.pieces > 1:
        said.append(_(" Of {count} separate pieces the largest is shown.").format(count=mesh.pieces))
    if mesh.open_edges:
        said.append(
            _(" The surface has holes ({count} open edges); its spectrum is that of an open surface.").format(
                count=mesh.open_edges
            )
        )
    return "".join(said)


def changed(shape: Shape, change: str, seed: int) -> tuple[str, str]:
    """Sentence and picture of a change of the spectrum of ``shape``."""
    from uap_core.geometric.shapes.bodies import CLASSES
    from uap_core.geometric.shapes.deform import moved, with_spectrum
    from uap_core.geometric.shapes.distortion import distortion
    from uap_core.geometric.shapes.measured import random_like
    from uap_core.geometric.shapes.own import own_change
    from uap_core.geometric.shapes.stored import stored_shapes

    if change not in [key for _label, key in CHANGES]:
        raise SettingError(_("There is no such change; choose one of the list."))
    stored = stored_shapes()
    if change == OWN:
        coefficients, values = own_change(stored.net, shape)
        asked = values / shape.values - 1
    else:
        asked = stored.rho if change == UNIVERSAL else random_like(stored.rho, np.random.default_rng(seed))
        coefficients, values = with_spectrum(shape, shape.values * (1 + asked))
    after = moved(shape, coefficients)
    far = np.linalg.norm(after - shape.points, axis=1)
    view = {
        "kind": "mesh",
        "before": rounded(shape.points),
        "after": rounded(after),
        "faces": [int(corner) for corner in shape.faces.ravel()],
        "radius": round(float(np.linalg.norm(np.concatenate([shape.points, after]), axis=1).max()) * 1.02, 3),
        "moved": rounded(far / BRIGHT, 2),
        "values": {"asked": rounded(100 * asked, 1), "shown": rounded(100 * (values / shape.values - 1), 1)},
    }
    was, now = (_(NAMES[CLASSES[int(stored.net.logits(found).argmax())]]) for found in (shape.values, values))
    size = distortion(shape.points, after, shape.faces)
    said = _("Moved by {far:.1%} of the radius on average, edges longer or shorter by {edges:.1%}. ").format(
        far=size.displacement, edges=size.edges
    )
    said += (
        _("It still sees a {now}.").format(now=now)
        if was == now
        else _("For the network the {was} is now a {now}.").format(was=was, now=now)
    )
    curve = _("The first {count} eigenvalues: bars are how much each changed, lines what was asked.").format(count=len(asked))
    key = dot("var(--after)", _("moved most")) + " · "
    return said, solids_html(view, was, now, was != now, True, curve, key)
