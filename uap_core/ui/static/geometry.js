// Graphs, clouds and meshes on canvases. The server sends places and words once (data-geo, data-view); turning, stepping and
// moving between before and after is done here, so that no drag waits for an answer. geometry_drawing.js draws them.
(() => {
  const { drawGraph, drawSolids, nodeAt } = window.uapStages;
  const stages = new WeakMap();

  const draw = (stage) => {
    cancelAnimationFrame(stage.frame);
    stage.frame = requestAnimationFrame(() => stage.root.isConnected && stage.root.offsetWidth && (stage.view.kind === "graph" ? drawGraph : drawSolids)(stage));
  };

  const kept = {}; // how each kind of solid was turned last, so that a new one lies as the one before

  // The page may keep the elements and change what they hold: listeners are the root's own, and added once.
  function look() {
    for (const root of document.querySelectorAll("[data-geo]")) {
      if (!stages.has(root)) bind(root);
      const stage = stages.get(root);
      if (stage.source === root.dataset.view) continue;
      stage.source = root.dataset.view;
      const view = stage.view = JSON.parse(stage.source);
      stage.angles = kept[view.kind] ||= [0.6, 0.35];
      for (const name of ["before", "after"]) if (Array.isArray(view[name])) view[name] = Float32Array.from(view[name]);
      const slider = root.querySelector("input[type=range]");
      if (slider) slider.value = slider.max = slider.getAttribute("max");
      draw(stage);
    }
  }

  function bind(root) {
    const stage = { root, source: "", view: null, angles: null, frame: 0, from: null, turning: false };
    stages.set(root, stage);
    root.addEventListener("input", () => draw(stage));
    root.addEventListener("click", (event) => { if (event.target.matches("canvas.graph")) pick(stage, nodeAt(stage, event)); });
    root.addEventListener("keydown", (event) => keyed(stage, event));
    root.addEventListener("pointerdown", (event) => {
      if (!event.target.matches("canvas.solid")) return;
      stage.from = [event.clientX, event.clientY];
      stage.turning = true;
      event.target.setPointerCapture(event.pointerId);
    });
    root.addEventListener("pointermove", (event) => {
      if (event.target.matches("canvas.graph")) event.target.style.cursor = nodeAt(stage, event) >= 0 ? "pointer" : "default";
      if (!stage.from) return;
      turn(stage, (event.clientX - stage.from[0]) / 120, (event.clientY - stage.from[1]) / 120);
      stage.from = [event.clientX, event.clientY];
    });
    for (const name of ["pointerup", "pointercancel"]) root.addEventListener(name, () => {
      stage.from = null;
      stage.turning = false;
      draw(stage);
    });
    new ResizeObserver(() => stage.view && draw(stage)).observe(root);
  }

  function pick(stage, node) {
    if (node >= 0) stage.root.dispatchEvent(new CustomEvent("uap-node", { bubbles: true, detail: stage.view.ids[node] }));
  }

  function turn(stage, across, down) {
    stage.angles[0] += across;
    stage.angles[1] = Math.max(-1.5, Math.min(1.5, stage.angles[1] + down));
    draw(stage);
  }

  function keyed(stage, event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way || !event.target.matches("canvas.solid, canvas.graph")) return;
    event.preventDefault();
    const count = stage.view.nodes?.length;
    if (count) pick(stage, (stage.view.target + way[0] + way[1] + count) % count);
    else turn(stage, 0.15 * way[0], 0.15 * way[1]);
  }

  const redraw = () => document.querySelectorAll("[data-geo]").forEach((root) => stages.has(root) && draw(stages.get(root)));
  new MutationObserver((changes) => {
    look();
    if (changes.some(({ attributeName, target }) => attributeName === "class" && target === document.body)) redraw(); // light, dark
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "data-view"] });
})();
