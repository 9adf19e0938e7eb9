"""A shape before and after a change of its spectrum: sentence and picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from uap_core.errors import SettingError
from uap_core.i18n import N_, _
from uap_core.ui.tabs.geometry.stage import dot, rounded, solids_html, uploaded

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


def own_mesh(path: str) -> Mesh:
    """A visitor's mesh. Raises DatasetError for a file that is none."""
    from uap_core.geometric.files.meshes import open_mesh

    return open_mesh(uploaded(path))


def own_shape(mesh: Mesh) -> tuple[Shape, str]:
    """A visitor's mesh with its spectrum, and what was done to it."""
    from uap_core.geometric.shapes.classifier import EIGENVALUES
    from uap_core.geometric.shapes.deform import shape_of

    return shape_of(mesh.points, mesh.faces, EIGENVALUES), mended(mesh)


def mended(mesh: Mesh) -> str:
    """What was left out of a visitor's mesh, in sentences, and that the network knows no such thing."""
    said = [_(" The network knows eight animals only, so its answer says which of them has the most similar spectrum.")]
    if mesh.unused:
        said.append(_(" {count} vertices belong to no triangle and were left out.").format(count=mesh.unused))
    if mesh.flat:
        said.append(_(" {count} triangles have no area and were left out.").format(count=mesh.flat))
    if mesh.repeated:
        said.append(_(" {count} triangles were there twice.").format(count=mesh.repeated))
    if mesh.joined:
        said.append(_(" {count} vertices lay where others do and were joined with them.").format(count=mesh.joined))
    if mesh.pieces > 1:
        said.append(_(" Of {count} separate pieces the largest is shown.").format(count=mesh.pieces))
    if mesh.open_edges:
        said.append(
            _(" The surface has holes ({count} open edges); its spectrum is that of an open surface.").format(
                count=mesh.open_edges
            )
        )
    if mesh.pinched:
        said.append(_(" At {count} vertices parts of the surface meet in a point only.").format(count=mesh.pinched))
    return "".join(said)


def changed(shape: Shape, change: str, seed: int) -> tuple[str, str]:
    """Sentence and picture of a change of the spectrum of ``shape``."""
    *_shares, found = changing_parts(shape, change, seed)
    assert isinstance(found, tuple)
    return found


def changing_parts(shape: Shape, change: str, seed: int) -> Iterator[float | tuple[str, str]]:
    """``changed`` in parts: about how much is done (0 to 1), and last the sentence and the picture."""
    from uap_core.geometric.shapes.deform import deforming
    from uap_core.geometric.shapes.measured import random_like
    from uap_core.geometric.shapes.own import changing
    from uap_core.geometric.shapes.stored import stored_shapes

    if change not in [key for _label, key in CHANGES]:
        raise SettingError(_("There is no such change; choose one of the list."))
    stored = stored_shapes()
    asked = None if change == OWN else stored.rho
    if change == RANDOM:
        asked = random_like(stored.rho, np.random.default_rng(seed))
    parts = changing(stored.net, shape) if asked is None else deforming(shape, shape.values * (1 + asked))
    for part in parts:
        yield part if isinstance(part, float) else drawn_change(shape, *part, asked)


def drawn_change(shape: Shape, coefficients: np.ndarray, values: np.ndarray, asked: np.ndarray | None) -> tuple[str, str]:
    """Sentence and picture of ``shape`` displaced by ``coefficients`` (3b,), with its eigenvalues (k,) then; ``asked`` (k,) is
    by how much they were to change, where that was asked."""
    from uap_core.geometric.shapes.bodies import CLASSES
    from uap_core.geometric.shapes.deform import moved
    from uap_core.geometric.shapes.distortion import distortion
    from uap_core.geometric.shapes.stored import stored_shapes

    net, shown = stored_shapes().net, values / shape.values - 1
    after = moved(shape, coefficients)
    far = np.linalg.norm(after - shape.points, axis=1)
    view = {
        "kind": "mesh",
        "before": rounded(shape.points),
        "after": rounded(after),
        "faces": [int(corner) for corner in shape.faces.ravel()],
        "radius": round(float(np.linalg.norm(np.concatenate([shape.points, after]), axis=1).max()) * 1.02, 3),
        "moved": rounded(far / BRIGHT, 2),
        "values": {"asked": rounded(100 * (shown if asked is None else asked), 1), "shown": rounded(100 * shown, 1)},
    }
    was, now = (_(NAMES[CLASSES[int(net.logits(found).argmax())]]) for found in (shape.values, values))
    size = distortion(shape.points, after, shape.faces)
    said = _("Moved by {far:.1%} of the radius on average, edges longer or shorter by {edges:.1%}. ").format(
        far=size.displacement, edges=size.edges
    )
    said += (
        _("It still sees a {now}.").format(now=now)
        if was == now
        else _("For the network the {was} is now a {now}.").format(was=was, now=now)
    )
    curve = _("The first {count} eigenvalues: bars are how much each changed, lines what was asked.").format(count=len(values))
    key = dot("var(--after)", _("moved most")) + " · "
    return said, solids_html(view, was, now, was != now, True, curve, key)
