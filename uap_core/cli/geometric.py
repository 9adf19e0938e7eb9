"""attack-graph, attack-cloud, attack-shape, publish-geometric: perturbations of what is not a picture."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from uap_core.cli.options import Seed
from uap_core.errors import SettingError
from uap_core.io.paths import GEOMETRIC

FLIPS, POINTS = 10, 8  # where a command names no number


class Domain(str, Enum):
    """What can be perturbed beside pictures."""

    graphs = "graphs"
    clouds = "clouds"
    shapes = "shapes"


def attack_graph(
    node: Annotated[str, typer.Argument(help="The node to attack: its number, or its name in your own list.")],
    edges: Annotated[Path | None, typer.Option(help="Your own list of edges, two names a line.")] = None,
    block: Annotated[bool, typer.Option("--block", help="The graph of 2 400 nodes in place of the karate club.")] = False,
    kind: Annotated[str, typer.Option(help="direct, influencers, words or anchors (the last two with --block).")] = "direct",
    budget: Annotated[int | None, typer.Option(min=1, help="Flips at most; 10 when left out. Anchors are all flipped.")] = None,
    seed: Seed = 0,
) -> None:
    """Flip edges or words of a graph until the network gives a node another class; print each flip and what was refused."""
    from uap_core.geometric.files.edges import open_edges
    from uap_core.geometric.graphs.anchored import anchored
    from uap_core.geometric.graphs.own import own_network
    from uap_core.geometric.graphs.stored import block as block_graph
    from uap_core.geometric.graphs.stored import club
    from uap_core.geometric.graphs.targeted import DIRECT, INFLUENCERS, WORDS, attack_node

    if edges and block:
        raise SettingError("--edges and --block name two graphs: leave one of them out.")
    if kind == "anchors" and budget is not None:
        raise SettingError("Anchors are all flipped, whatever the budget: leave --budget out.")
    if edges:
        own = open_edges(edges)
        stored, names = own_network(own.graph, seed), own.names
    else:
        stored = block_graph() if block else club()
        names = [str(i if block else i + 1) for i in range(len(stored.nodes.graph))]
    if node not in names:
        raise SettingError(f"There is no node {node!r}; the names are like {names[0]!r} and {names[-1]!r}.")
    if kind not in (DIRECT, INFLUENCERS, *((WORDS, "anchors") if stored.nodes.words.shape[1] else ())):
        raise SettingError(f"This graph has no attack {kind!r}; use direct or influencers, with --block also words or anchors.")
    number = names.index(node)
    if kind == "anchors":
        found = anchored(stored.seen, number, stored.anchors)
    else:
        found = attack_node(stored.seen, number, kind, budget or FLIPS, stored.nodes.words if kind == WORDS else None)
    print(f"{node}: class {found.label}, margin {found.before:.2f}")
    for step in found.steps:
        flip = step.taken
        what = f"word {flip.b}" if flip.is_word else f"edge {names[flip.a]} - {names[flip.b]}"
        refused = sum(other.refused != "" and other.margin < flip.margin for other in step.ranked)
        print(f"  {what} {'added' if flip.added else 'removed'}: margin {flip.margin:.2f}; {refused} better ones refused")
    print(f"class {found.now}: {'fooled' if found.fooled else 'holds'}")


def attack_cloud(
    cloud: Annotated[Path, typer.Argument(help="OBJ, PLY, OFF, or three numbers a line.")],
    kind: Annotated[str, typer.Option(help="universal, shifted, added or clusters.")] = "universal",
    measure: Annotated[
        str | None, typer.Option(help="l2, chamfer (when left out) or hausdorff; the universal change has none.")
    ] = None,
    points: Annotated[
        int | None, typer.Option(min=1, help="Points to add: 2, 4, 8 (when left out) or 12 universal ones.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Add points to a cloud, or move its points, until the network takes it for another solid."""
    import torch

    from uap_core.geometric.clouds.distances import CHAMFER
    from uap_core.geometric.clouds.single import KINDS, SHIFTED, attack_clouds
    from uap_core.geometric.clouds.solids import CLASSES
    from uap_core.geometric.clouds.stored import stored_changes, stored_net
    from uap_core.geometric.clouds.universal import ADDED, applied
    from uap_core.geometric.files.clouds import open_cloud

    if kind not in ("universal", *KINDS):
        raise SettingError(f"The kind must be universal, shifted, added or clusters, not {kind!r}.")
    if kind == "universal" and measure is not None:
        raise SettingError("The universal points have no measure: leave --measure out, or name another --kind.")
    if kind == SHIFTED and points is not None:
        raise SettingError("Shifted points are moved, and none is added: leave --points out, or name another --kind.")
    points = points or POINTS
    net, given = stored_net(), torch.tensor(open_cloud(cloud, 1024, seed)[0], dtype=torch.float32)[None]
    if kind == "universal":
        if (ADDED, float(points)) not in stored_changes():
            raise SettingError("Universal points ship as sets of 2, 4, 8 and 12; choose one of these numbers.")
        after = applied(ADDED, stored_changes()[ADDED, float(points)], given, points)
    else:
        measure = CHAMFER if measure is None else measure
        found = attack_clouds(net, given, kind, measure, points, seed)
        after = found.clouds
        print(f"{measure} distance {float(found.distance[0]) ** 0.5:.4f}")
    with torch.no_grad():
        before, now = (CLASSES[int(net(one).argmax())] for one in (given, after))
    print(f"{before} -> {now}: {'fooled' if now != before else 'holds'}")


def attack_shape(
    mesh: Annotated[Path, typer.Argument(help="OBJ, PLY or OFF.")],
    own: Annotated[bool, typer.Option("--own", help="The smallest change made for this mesh, not the universal one.")] = False,
) -> None:
    """Deform a mesh until its spectrum shows the universal change, and say what the network takes it for then."""
    from uap_core.geometric.files.meshes import open_mesh
    from uap_core.geometric.shapes.bodies import CLASSES
    from uap_core.geometric.shapes.classifier import EIGENVALUES
    from uap_core.geometric.shapes.deform import moved, shape_of, with_spectrum
    from uap_core.geometric.shapes.distortion import distortion
    from uap_core.geometric.shapes.own import own_change
    from uap_core.geometric.shapes.stored import stored_shapes

    read, stored = open_mesh(mesh), stored_shapes()
    shape = shape_of(read.points, read.faces, EIGENVALUES)
    changed = own_change(stored.net, shape) if own else with_spectrum(shape, shape.values * (1 + stored.rho))
    size = distortion(shape.points, moved(shape, changed[0]), shape.faces)
    before, now = (CLASSES[int(stored.net.logits(values).argmax())] for values in (shape.values, changed[1]))
    print(f"displaced {size.displacement:.1%} of the radius, edges {size.edges:.1%}, curvature {size.curvature:.1%}")
    print(f"{before} -> {now}: {'fooled' if now != before else 'holds'}")


def publish_geometric(
    domain: Annotated[list[Domain] | None, typer.Argument(help="Only these; all when left out.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for networks, universal changes and tables.")] = GEOMETRIC,
    seed: Seed = 0,
) -> None:
    """Compute what ships for graphs, clouds and shapes: networks, universal changes, and tables of what they do."""
    from uap_core.precompute.clouds import publish_clouds
    from uap_core.precompute.graphs import publish_graphs
    from uap_core.precompute.shapes import publish_shapes

    out.mkdir(parents=True, exist_ok=True)
    makers = {Domain.graphs: publish_graphs, Domain.clouds: publish_clouds, Domain.shapes: publish_shapes}
    for chosen in domain or list(Domain):
        for line in makers[chosen](out, seed):
            print(f"{chosen.value}  {line}", flush=True)
