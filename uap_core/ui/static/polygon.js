// The generator's polygon: its corners are labels, the dot is dragged between them. The pattern is made here (maker.js); what the
// network says of the photograph is asked of the server; the bars were measured at every place of the polygon.
// Of several generators, one for each norm, one is shown; what is asked says which.
globalThis.uapPolygonRooms = (element, trigger) => {
  const rooms = [...element.querySelectorAll(".polygon")], buttons = [...element.querySelectorAll("[data-norm]")];
  const shown = rooms.map((root, which) => globalThis.uapPolygonRoom(root, (place) => trigger("select", { which, place })));
  buttons.forEach((button, which) => button.addEventListener("click", () => {
    rooms.forEach((root, i) => { root.hidden = i !== which; });
    buttons.forEach((other, i) => other.setAttribute("aria-pressed", String(i === which)));
    trigger("select", { which, place: shown[which]() });
  }));
};

// One polygon; `ask` is told each new place. Returns what tells the place.
globalThis.uapPolygonRoom = (root, ask) => {
  const S = JSON.parse(root.dataset.sent), pick = (name) => root.querySelector(`[data-polygon="${name}"]`);
  const dot = pick("dot"), stage = pick("stage");
  let place = S.start, making = null, asked = 0, dragging = false;

  const X = (x) => 150 + 105 * x, Y = (y) => 150 + 105 * y;

  // In l_inf +-1 for every pixel, as the server fills the ball, in l2 the largest value as far; mid-grey is no change.
  async function drawPattern() {
    making ??= globalThis.uapMaker(S.file);
    const maker = await making, wanted = place, { height, width } = maker.shape;
    const values = maker.make([...S.noise, ...S.places[wanted].mix.map((share) => S.stress * share)]);
    if (wanted !== place) return;
    const image = new ImageData(width, height), size = height * width;
    const top = S.signs ? 1 : Math.max(...values.map(Math.abs));
    for (let k = 0; k < size; k++) {
      for (let c = 0; c < 3; c++) image.data[4 * k + c] = 127.5 + 100 * (S.signs ? Math.sign(values[c * size + k]) : values[c * size + k] / top);
      image.data[4 * k + 3] = 255;
    }
    const canvas = pick("pattern");
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  function show() {
    const { x, y, fooled, into } = S.places[place];
    dot.setAttribute("cx", X(x));
    dot.setAttribute("cy", Y(y));
    const near = into.indexOf(Math.max(...into));
    bar("fooled", fooled);
    into.forEach((share, i) => bar(`into-${i}`, share));
    root.querySelectorAll("[data-corner]").forEach((corner, i) => corner.classList.toggle("near", i === near));
    dot.setAttribute("aria-valuenow", String(place));
    dot.setAttribute("aria-valuetext", S.said.replace("{fooled}", String(Math.round(100 * fooled))).replace("{label}", S.labels[near]).replace("{share}", String(Math.round(100 * into[near]))));
    pick("said").textContent = dot.getAttribute("aria-valuetext");
    drawPattern();
  }

  function bar(name, share) {
    pick(name).style.width = `${100 * share}%`;
    pick(`${name}-value`).textContent = `${Math.round(100 * share)} %`;
  }

  function go(next) {
    if (next === place || !S.places[next]) return;
    place = next;
    root.classList.add("asking");
    show();
    clearTimeout(asked);
    asked = setTimeout(() => ask(place), 60);
  }

  const nearest = (x, y) => {
    const far = (spot) => (spot.x - x) ** 2 + (spot.y - y) ** 2;
    return S.places.reduce((best, spot, i) => (far(spot) < far(S.places[best]) ? i : best), 0);
  };
  const at = (event) => {
    const box = stage.getBoundingClientRect(), { x, y, width } = stage.viewBox.baseVal, scale = width / box.width;
    return nearest((x + (event.clientX - box.left) * scale - 150) / 105, (y + (event.clientY - box.top) * scale - 150) / 105);
  };
  stage.addEventListener("pointerdown", (event) => {
    dragging = true;
    stage.setPointerCapture(event.pointerId);
    go(at(event));
    event.preventDefault();
  });
  stage.addEventListener("pointermove", (event) => { if (dragging) go(at(event)); });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { dragging = false; });
  dot.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const { x, y } = S.places[place];
    const ahead = S.places.map((spot, i) => [i, (spot.x - x) * by[0] + (spot.y - y) * by[1], (spot.x - x) ** 2 + (spot.y - y) ** 2]);
    const next = ahead.filter(([, forward]) => forward > 0.05).sort((a, b) => a[2] - b[2])[0];
    if (next) go(next[0]);
  });
  show();
  return () => place;
};
