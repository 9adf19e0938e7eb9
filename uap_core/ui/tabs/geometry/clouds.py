"""Point clouds: one displacement field or a few added points for all of them, and changes made for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from uap_core.errors import SettingError
from uap_core.i18n import N_, _
from uap_core.ui.html.tables import wide
from uap_core.ui.runtime.list_choice import on_choice
from uap_core.ui.sidebar import Setup
from uap_core.ui.tabs.geometry.figures import singles
from uap_core.ui.tabs.geometry.rates import clouds_chart
from uap_core.ui.tabs.geometry.stage import WAIT, Part, alone, dot, rounded, solids_html, stage, uploaded
from uap_core.ui.uploads import path_of
from uap_core.ui.widgets import QUICK, awaited, saying, status

if TYPE_CHECKING:
    from torch import Tensor

NAMES = {
    "ball": N_("ball"),
    "box": N_("box"),
    "cylinder": N_("cylinder"),
    "cone": N_("cone"),
    "ring": N_("ring"),
    "pyramid": N_("pyramid"),
    "octahedron": N_("octahedron"),
    "capsule": N_("capsule"),
    "bowl": N_("bowl"),
    "prism": N_("prism"),
}
FIELD, ADDED, RANDOM = "field", "added", "random"
CHANGES = (
    (N_("eight points, the same for every cloud"), f"{ADDED} 8"),
    (N_("one field that moves every cloud, 0.16 at most"), f"{FIELD} 0.16"),
    (N_("a random field of that size"), f"{RANDOM} 0.16"),
    (N_("eight random points"), f"{RANDOM} 8"),
    (N_("made for this cloud: points moved, l2"), "shifted l2"),
    (N_("made for this cloud: points moved, Chamfer"), "shifted chamfer"),
    (N_("made for this cloud: points moved, Hausdorff"), "shifted hausdorff"),
    (N_("made for this cloud: points added, Chamfer"), "added chamfer"),
    (N_("made for this cloud: points added, Hausdorff"), "added hausdorff"),
    (N_("made for this cloud: three clusters added"), "clusters chamfer"),
)
ADDED_POINTS = 24
MOST_POINTS = 1024


def build(setup: Setup) -> Part:
    """Lay out and wire the view. Nothing is computed before it is looked at."""
    seed, mine = gr.State(0), gr.State(None)
    with gr.Column(elem_id="geo-clouds", visible=False) as column:
        with gr.Row():
            kinds = [(_(label), key) for key, label in NAMES.items()] + [(_("Your own"), "own")]
            solid = gr.Dropdown(kinds, value="ring", label=_("Cloud"), interactive=True, elem_id="geo-solid")
            change = gr.Dropdown(
                [(_(label), key) for label, key in CHANGES],
                value=CHANGES[0][1],
                label=_("Change"),
                interactive=True,
                elem_id="geo-change",
            )
            clean = gr.Checkbox(False, label=_("Remove outliers first"), interactive=True, elem_id="geo-clean")
        said = gr.HTML(awaited(), elem_id="geo-cloud-said")
        drawn = stage("geo-cloud-stage")
        another = gr.Button(_("Another cloud of this kind"), size="sm", elem_id="geo-new-cloud", scale=0, min_width=220)
        chart = gr.HTML(elem_id="geo-cloud-rates", elem_classes="chart")
        with gr.Accordion(_("Your own cloud"), open=False, elem_id="geo-own-cloud"):
            own = gr.File(
                label=_("OBJ, PLY, OFF, or three numbers a line; at most 20 000 points"), height=120, elem_id="geo-cloud-file"
            )

    @alone
    def look(solid: str, change: str, clean: bool, number: int, given: Any) -> dict[Any, Any]:
        if solid == "own" and given is None:
            raise SettingError(_("Open a file with points below."))
        cloud, note = given if solid == "own" else (cloud_of(solid, number), "")
        sentence, picture = changed(cloud, change, bool(clean), number, note)
        return {said: sentence, drawn: picture, seed: number}

    def first() -> dict[Any, Any]:
        return {
            **look("ring", CHANGES[0][1], False, 0, None),
            chart: clouds_chart() + wide(_("Made for one cloud"), singles()),
        }

    def other(solid: str, change: str, clean: bool, number: int, given: Any) -> dict[Any, Any]:
        return look(solid, change, clean, number + 1, given)

    def read(file: dict[str, Any] | None, change: str, clean: bool) -> dict[Any, Any]:
        found = own_cloud(path_of(file) or "")
        return {**look("own", change, clean, 0, found), mine: found, solid: "own"}

    shown, inputs = [said, drawn, seed], [solid, change, clean, seed, mine]
    for event in (on_choice(setup, solid), on_choice(setup, change), clean.input):
        event(**WAIT, outputs=said)
        event(saying(said)(look), inputs, shown, **QUICK)
    another.click(**WAIT, outputs=said)
    another.click(saying(said)(other), inputs, shown, **QUICK)
    own.upload(**WAIT, outputs=said)
    own.upload(saying(said)(read), [own, change, clean], [*shown, mine, solid], **QUICK)
    return Part(column, said, [*shown, chart], first)


def cloud_of(name: str, seed: int) -> Tensor:
    """A held-out cloud (m,3) of a kind. Raises SettingError for a kind that there is not."""
    import torch

    from uap_core.geometric.clouds.solids import CLASSES, POINTS
    from uap_core.geometric.clouds.solids import solid as made

    if name not in CLASSES:
        raise SettingError(_("There is no such solid; choose one of the list."))
    return made(CLASSES.index(name), POINTS, torch.Generator().manual_seed(1000 + seed))


def own_cloud(path: str) -> tuple[Tensor, str]:
    """A visitor's cloud (m,3), and what is to be said of it. Raises DatasetError for a file that holds none."""
    import torch

    from uap_core.geometric.files.clouds import open_cloud

    points, count = open_cloud(uploaded(path), MOST_POINTS, 0)
    note = _(" The network knows ten solids only, so its answer says which of them your cloud is most like.")
    if count > len(points):
        note += _(" Of {count} points {shown}, drawn at random, are shown.").format(count=count, shown=len(points))
    return torch.tensor(points, dtype=torch.float32), note


def changed(cloud: Tensor, change: str, clean: bool, seed: int, note: str = "") -> tuple[str, str]:
    """Sentence and picture of a change of ``cloud`` (m,3); ``note`` is said, too."""
    import torch

    from uap_core.geometric.clouds.outliers import outliers
    from uap_core.geometric.clouds.solids import CLASSES
    from uap_core.geometric.clouds.stored import stored_net

    if change not in [key for _label, key in CHANGES]:
        raise SettingError(_("There is no such change; choose one of the list."))
    net = stored_net()
    after = applied_to(cloud, change, seed)
    removed = outliers(after) if clean else torch.zeros(len(after), dtype=torch.bool)
    with torch.no_grad():
        before_label = int(net(cloud[None]).argmax())
        label = int(net(after[~removed][None]).argmax())
    moved = (after[: len(cloud)] - cloud).norm(dim=1)
    view = {
        "kind": "cloud",
        "before": rounded(cloud.numpy()),
        "after": rounded(after.numpy()),
        "radius": 1.15,
        "moved": rounded(moved.numpy() / 0.16),
        "critical": net.critical(cloud).tolist(),
        "removed": removed.tolist(),
    }
    was, now = _(NAMES[CLASSES[before_label]]), _(NAMES[CLASSES[label]])
    said = told(was, now, len(after) - len(cloud), float(moved.max()), int(removed.sum()), clean)
    found_before = change.split(" ")[1][0].isdigit() and not change.startswith(RANDOM)
    said += " " + (_("The change was precomputed; the answers are computed now.") if found_before else _("Computed now."))
    key = dot("var(--before)", _("points that the network hears")) + dot("var(--after)", _("moved or added"))
    morph = len(after) == len(cloud) and not clean
    return status(said + note), solids_html(view, was, now, label != before_label, morph, key=key + " · ")


def applied_to(cloud: Tensor, change: str, seed: int) -> Tensor:
    """``cloud`` (m,3) after a change of ``CHANGES``; points that were added come last."""
    import torch

    from uap_core.geometric.clouds.single import attack_clouds
    from uap_core.geometric.clouds.stored import stored_changes, stored_net
    from uap_core.geometric.clouds.universal import applied, start

    kind, _space, what = change.partition(" ")
    if kind == RANDOM:
        size = float(what)
        form = ADDED if size >= 1 else FIELD
        return applied(form, start(form, size, torch.Generator().manual_seed(seed)), cloud[None], size)[0]
    if what[0].isdigit():
        return applied(kind, stored_changes()[kind, float(what)], cloud[None], float(what))[0]
    with torch.enable_grad():
        return attack_clouds(stored_net(), cloud[None], kind, what, min(ADDED_POINTS, len(cloud)), seed).clouds[0]


def told(was: str, now: str, added: int, furthest: float, removed: int, clean: bool) -> str:
    """What the change is, and what the network says."""
    how = (
        _("{count} points added to the others.").format(count=added)
        if added
        else _("Points moved by at most {far:.2f} of the radius.").format(far=furthest)
    )
    gone = _(" {count} outliers were removed first.").format(count=removed) if clean else ""
    if was == now:
        return how + gone + _(" The network still says {now}.").format(now=now)
    return how + gone + _(" {was} became {now}.").format(was=was.capitalize(), now=now)
