// Graphs, clouds and meshes drawn on canvases: a stage is { view, root, angles, turning }, see geometry.js.
window.uapStages = (() => {
  const KINDS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7f7f7f"];
  const INK = { line: "#94a3b8", text: "#1e293b", pale: "#cbd5e1", hot: "#d55e00", cold: "#0072b2" };
  const DARK = { line: "#64748b", text: "#e2e8f0", pale: "#475569", hot: "#f59e5b", cold: "#56b4e9" };
  const MANY_FACES = 9000; // while turned, a finer mesh is drawn as points
  const ink = () => (document.querySelector(".dark") ? DARK : INK);

  function sized(canvas) {
    const scale = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
    const width = Math.max(1, Math.round(box.width * scale)), height = Math.max(1, Math.round(box.height * scale));
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, box.width, box.height);
    return [context, box.width, box.height];
  }

  // --- solids ---------------------------------------------------------------------------------------------------------------
  function turned(points, angles) {
    const [a, b] = angles, ca = Math.cos(a), sa = Math.sin(a), cb = Math.cos(b), sb = Math.sin(b);
    const out = new Float32Array(points.length);
    for (let i = 0; i < points.length; i += 3) {
      const x = ca * points[i] - sa * points[i + 1], y = sa * points[i] + ca * points[i + 1], z = points[i + 2];
      out[i] = x;
      out[i + 1] = cb * z + sb * y; // up
      out[i + 2] = sb * z - cb * y; // towards the eye
    }
    return out;
  }

  const between = (before, after, share) => {
    if (share === 0 || after.length < before.length) return share === 0 ? before : after;
    const out = Float32Array.from(after); // points beyond the first ones were added
    for (let i = 0; i < before.length; i += 1) out[i] = before[i] + share * (after[i] - before[i]);
    return out;
  };

  const mixed = (share, dark) => {
    const cold = dark ? [100, 116, 139] : [148, 163, 184], hot = dark ? [245, 158, 91] : [213, 94, 0];
    return cold.map((value, i) => value + Math.min(1, share) * (hot[i] - value));
  };

  function drawCloud(context, width, height, points, colours, angles, radius) {
    const seen = turned(points, angles), scale = 0.46 * Math.min(width, height) / radius;
    const order = Array.from({ length: points.length / 3 }, (_, i) => i).sort((i, j) => seen[3 * i + 2] - seen[3 * j + 2]);
    for (const i of order) {
      const near = Math.max(0, Math.min(1, (seen[3 * i + 2] / radius + 1) / 2));
      context.globalAlpha = 0.35 + 0.65 * near;
      context.fillStyle = colours[i].fill;
      context.beginPath();
      context.arc(width / 2 + scale * seen[3 * i], height / 2 - scale * seen[3 * i + 1], colours[i].size * (0.8 + 0.5 * near), 0, 7);
      context.fill();
      if (colours[i].ring) {
        context.strokeStyle = colours[i].ring;
        context.stroke();
      }
    }
    context.globalAlpha = 1;
  }

  function drawMesh(context, width, height, points, faces, hot, angles, radius, dark) {
    const seen = turned(points, angles), scale = 0.49 * Math.min(width, height) / radius, count = faces.length / 3;
    const depth = new Float32Array(count);
    for (let f = 0; f < count; f += 1) depth[f] = seen[3 * faces[3 * f] + 2] + seen[3 * faces[3 * f + 1] + 2] + seen[3 * faces[3 * f + 2] + 2];
    const order = Array.from({ length: count }, (_, f) => f).sort((f, g) => depth[f] - depth[g]);
    for (const f of order) {
      const [i, j, k] = [3 * faces[3 * f], 3 * faces[3 * f + 1], 3 * faces[3 * f + 2]];
      const ux = seen[j] - seen[i], uy = seen[j + 1] - seen[i + 1], uz = seen[j + 2] - seen[i + 2];
      const vx = seen[k] - seen[i], vy = seen[k + 1] - seen[i + 1], vz = seen[k + 2] - seen[i + 2];
      const nx = uy * vz - uz * vy, ny = uz * vx - ux * vz, nz = ux * vy - uy * vx, length = Math.hypot(nx, ny, nz) || 1;
      const light = 0.5 + 0.5 * Math.abs(0.3 * nx + 0.45 * ny + 0.84 * nz) / length;
      const share = hot ? (hot[i / 3] + hot[j / 3] + hot[k / 3]) / 3 : 0;
      const colour = mixed(share, dark).map((value) => Math.round(value * light));
      context.fillStyle = context.strokeStyle = `rgb(${colour})`;
      context.beginPath();
      context.moveTo(width / 2 + scale * seen[i], height / 2 - scale * seen[i + 1]);
      context.lineTo(width / 2 + scale * seen[j], height / 2 - scale * seen[j + 1]);
      context.lineTo(width / 2 + scale * seen[k], height / 2 - scale * seen[k + 1]);
      context.closePath();
      context.fill();
      context.stroke();
    }
  }

  function drawSolids(stage) {
    const { view, root, angles } = stage, dark = !!document.querySelector(".dark"), colours = ink();
    const slider = root.querySelector("input[type=range]"), share = slider ? slider.value / 100 : 1;
    const [left, right] = root.querySelectorAll("canvas.solid");
    for (const [canvas, part] of [[left, 0], [right, share]]) {
      const [context, width, height] = sized(canvas);
      const points = canvas === left ? view.before : between(view.before, view.after, part);
      const hot = canvas === left || !view.moved ? null : view.moved.map((value) => value * part);
      if (view.faces && !(stage.turning && view.faces.length > 3 * MANY_FACES)) {
        drawMesh(context, width, height, points, view.faces, hot, angles, view.radius, dark);
      } else {
        const count = points.length / 3, first = view.before.length / 3;
        const dots = Array.from({ length: count }, (_, i) => {
          const added = i >= first, heard = canvas === left && view.critical && view.critical[i];
          const fill = added ? colours.hot : heard ? colours.cold : hot && hot[i] > 0.02 ? `rgb(${mixed(hot[i], dark).map(Math.round)})` : colours.line;
          const gone = canvas === right && view.removed && view.removed[i];
          return { fill: gone ? "transparent" : fill, ring: gone ? colours.hot : null, size: added || gone ? 4 : view.faces ? 1 : 2.6 };
        });
        drawCloud(context, width, height, points, dots, angles, view.radius);
      }
    }
    if (view.values) drawCurve(root.querySelector("canvas.curve"), view);
  }

  // Eigenvalues as what they became, in per cent of what they were: asked for and shown.
  function drawCurve(canvas, view) {
    const [context, width, height] = sized(canvas), colours = ink(), count = view.values.shown.length;
    const most = 1.15 * Math.max(5, ...view.values.shown.map(Math.abs), ...view.values.asked.map(Math.abs));
    const x = (i) => 46 + (i + 0.5) * (width - 56) / count, y = (value) => height / 2 - value / most * (height / 2 - 22);
    context.font = '12px "Source Sans Pro", sans-serif';
    context.fillStyle = colours.text;
    context.strokeStyle = colours.pale;
    for (const level of [-1, -0.5, 0, 0.5, 1].map((part) => part * most / 1.15)) {
      context.beginPath();
      context.moveTo(46, y(level));
      context.lineTo(width - 6, y(level));
      context.stroke();
      context.textAlign = "right";
      context.fillText(`${level > 0 ? "+" : level < 0 ? "−" : ""}${Math.abs(level).toFixed(0)} %`, 42, y(level) + 4);
    }
    context.textAlign = "center";
    for (let i = 0; i < count; i += count > 24 ? 5 : 3) context.fillText(i + 1, x(i), height - 4);
    const wide = Math.max(3, 0.55 * (width - 56) / count);
    context.fillStyle = colours.hot;
    view.values.shown.forEach((value, i) => context.fillRect(x(i) - wide / 2, Math.min(y(0), y(value)), wide, Math.abs(y(value) - y(0))));
    context.strokeStyle = colours.text;
    context.lineWidth = 2;
    context.beginPath();
    view.values.asked.forEach((value, i) => { context.moveTo(x(i) - wide / 2 - 2, y(value)); context.lineTo(x(i) + wide / 2 + 2, y(value)); });
    context.stroke();
    context.lineWidth = 1;
  }

  // --- graphs ---------------------------------------------------------------------------------------------------------------
  const RIM = 22;
  function places(stage, width, height) {
    return stage.view.nodes.map(([x, y]) => [RIM + x * (width - 2 * RIM), RIM + y * (height - 2 * RIM)]);
  }

  function drawGraph(stage) {
    const { view, root } = stage, colours = ink(), [context, width, height] = sized(root.querySelector("canvas"));
    const at = places(stage, width, height), slider = root.querySelector("input[type=range]");
    const done = slider ? Number(slider.value) : 0, flips = view.steps.slice(0, done);
    const removed = new Set(flips.filter((flip) => !flip.added && !flip.word).map((flip) => `${flip.a} ${flip.b}`));
    const line = (a, b) => {
      context.beginPath();
      context.moveTo(...at[a]);
      context.lineTo(...at[b]);
      context.stroke();
    };
    context.strokeStyle = colours.pale;
    context.lineWidth = 1.2;
    for (const [a, b] of view.edges) if (!removed.has(`${a} ${b}`) && !removed.has(`${b} ${a}`)) line(a, b);
    for (const flip of flips) {
      if (flip.word) continue;
      context.strokeStyle = colours.hot;
      context.lineWidth = 3;
      context.setLineDash(flip.added ? [] : [4, 6]);
      line(flip.a, flip.b);
    }
    context.setLineDash([]);
    context.font = '600 12px "Source Sans Pro", sans-serif';
    context.textAlign = "center";
    const kind = done ? view.steps[done - 1].kind : view.kinds[view.target];
    view.nodes.forEach((_, i) => {
      const target = i === view.target, radius = target ? 15 : view.nodes.length > 36 ? 8 : 11;
      context.fillStyle = KINDS[(target ? kind : view.kinds[i]) % KINDS.length];
      context.beginPath();
      context.arc(...at[i], radius, 0, 7);
      context.fill();
      if (target || view.marked.includes(i)) {
        context.strokeStyle = colours.text;
        context.lineWidth = target ? 4 : 2;
        context.stroke();
      }
      if (view.nodes.length <= 36 || target || view.marked.includes(i)) {
        context.fillStyle = target || radius > 8 ? "#ffffff" : colours.text;
        context.fillText(view.names[i], at[i][0], at[i][1] + (target || radius > 8 ? 4 : -11));
      }
    });
    root.querySelector(".geo-said").textContent = done ? view.steps[done - 1].said : view.before;
    root.querySelector(".geo-said").dataset.fooled = done && kind !== view.kinds[view.target] ? "yes" : "no";
  }

  function nodeAt(stage, event) {
    const box = stage.root.querySelector("canvas").getBoundingClientRect();
    const far = places(stage, box.width, box.height).map(([x, y]) => Math.hypot(box.left + x - event.clientX, box.top + y - event.clientY));
    const nearest = far.indexOf(Math.min(...far));
    return far[nearest] < 20 ? nearest : -1;
  }

  return { drawGraph, drawSolids, nodeAt };
})();
