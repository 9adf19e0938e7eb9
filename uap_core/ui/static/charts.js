// Charts are SVG with the list of their marks (runtime/charts.py). Here the pointer and the arrow keys find marks, the slider's
// epsilon is drawn where it is an axis, and a chart is saved as a picture or as its values.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const NEAR = 40; // pixels from the pointer to a mark
  const read = new WeakMap(); // marks by their picture
  const places = new WeakMap(); // the number of the mark that a chart shows, by chart

  const pictureOf = (plot) => [...plot.querySelectorAll("svg")].find((svg) => getComputedStyle(svg).display !== "none");

  function marksOf(svg) {
    if (!read.has(svg)) {
      const rows = JSON.parse(svg.dataset.marks);
      read.set(svg, rows.map(([series, x, y, low, high, across, down]) => ({ series, x, y, low, high, across, down })));
    }
    return read.get(svg);
  }

  function add(parent, name, attributes) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return parent.appendChild(element);
  }

  function hide(plot) {
    plot.querySelector(".tip").classList.remove("on");
    plot.querySelectorAll(".here").forEach((ring) => ring.remove());
  }

  function show(plot, svg, number) {
    const mark = marksOf(svg)[number];
    const { width, height } = svg.viewBox.baseVal;
    const tip = plot.querySelector(".tip");
    hide(plot);
    places.set(plot, number);
    add(svg, "circle", { class: "here", cx: mark.across * width, cy: mark.down * height, r: 7 });
    const span = mark.low ? ` (${mark.low} – ${mark.high})` : "";
    const name = document.createElement("b");
    name.textContent = mark.series;
    tip.replaceChildren(name, `${mark.x ? `${mark.x}: ` : ""}${mark.y}${span}`);
    tip.classList.add("on");
    tip.classList.toggle("left", mark.across > 0.5);
    tip.style.left = `${100 * mark.across}%`;
    tip.style.top = `${100 * mark.down}%`;
  }

  function nearest(svg, event) {
    const box = svg.getBoundingClientRect();
    const far = (mark) => Math.hypot(box.left + mark.across * box.width - event.clientX, box.top + mark.down * box.height - event.clientY);
    const all = marksOf(svg).map((mark, number) => [far(mark), number]);
    const [distance, number] = all.reduce((best, one) => (one[0] < best[0] ? one : best), [NEAR, -1]);
    return distance < NEAR ? number : -1;
  }

  let pointed = null;
  function point(event) {
    const plot = event.target.closest?.(".figure .plot") ?? null;
    if (pointed && pointed !== plot) hide(pointed);
    pointed = plot;
    const svg = plot && pictureOf(plot);
    if (!svg) return;
    const number = nearest(svg, event);
    if (number >= 0) show(plot, svg, number);
    else hide(plot);
  }
  document.addEventListener("pointermove", point);
  document.addEventListener("pointerdown", point);

  // Left and right stay on a line; up and down go to the nearest mark of another one.
  function onward(marks, at, key) {
    const mine = marks[at].series;
    const alike = marks.map((mark, number) => number).filter((number) => marks[number].series === mine);
    const place = alike.indexOf(at);
    if (key === "Home") return alike[0];
    if (key === "End") return alike.at(-1);
    if (key === "ArrowLeft") return alike[Math.max(0, place - 1)];
    if (key === "ArrowRight") return alike[Math.min(alike.length - 1, place + 1)];
    const lines = [...new Set(marks.map((mark) => mark.series))];
    const other = lines[lines.indexOf(mine) + (key === "ArrowDown" ? 1 : -1)];
    if (other === undefined) return at;
    const theirs = marks.map((mark, number) => number).filter((number) => marks[number].series === other);
    const far = (number) => Math.abs(marks[number].across - marks[at].across);
    return theirs.reduce((best, number) => (far(number) < far(best) ? number : best));
  }

  const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.(".figure .plot")) return;
    const plot = event.target;
    if (event.key === "Escape") return hide(plot);
    const svg = pictureOf(plot);
    if (!KEYS.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey || !svg || !marksOf(svg).length) return;
    event.preventDefault();
    event.stopPropagation();
    const marks = marksOf(svg);
    const at = places.get(plot);
    show(plot, svg, at === undefined || at >= marks.length ? 0 : onward(marks, at, event.key));
  }, true);
  document.addEventListener("focusout", (event) => event.target.matches?.(".figure .plot") && hide(event.target));

  // The slider's epsilon as a line. Looked at from time to time, since the page moves the slider, too, and says nothing of it.
  function markEpsilon() {
    const slider = document.querySelector("#epsilon input[type=range]") ?? document.querySelector("#epsilon input");
    const level = Number(slider?.value);
    if (!slider || !Number.isFinite(level)) return;
    for (const svg of document.querySelectorAll("svg[data-epsilon]")) {
      if (svg.dataset.level === String(level)) continue;
      svg.dataset.level = String(level);
      svg.querySelector(".now")?.remove();
      const [left, right, top, bottom, most] = svg.dataset.epsilon.split(" ").map(Number);
      const { width, height } = svg.viewBox.baseVal;
      const x = width * (left + (right - left) * Math.min(1, level / most));
      const now = add(svg, "g", { class: "now" });
      add(now, "line", { x1: x, x2: x, y1: top * height, y2: bottom * height });
      const late = x > width * 0.8; // in place of the axis' own number there, where no curve comes
      const words = add(now, "text", { x, y: bottom * height + 16, "text-anchor": late ? "end" : "middle" });
      words.textContent = svg.dataset.now.replace("{level}", level > most ? `${level} →` : level);
    }
  }
  setInterval(markEpsilon, 250);
  document.addEventListener("input", (event) => event.target.closest?.("#epsilon") && markEpsilon());

  function nameOf(figure) {
    const title = figure.querySelector("figcaption")?.textContent ?? "chart";
    return title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60) || "chart";
  }

  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  function table(svg) {
    const number = (text) => (text.endsWith(" %") ? String(Number((Number.parseFloat(text) / 100).toPrecision(6))) : text.replaceAll("\u202f", ""));
    const cell = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const rows = marksOf(svg).map(({ series, x, y, low, high }) => [series, ...[x, y, low, high].map(number)].map(cell).join(","));
    return `series,x,y,low,high\n${rows.join("\n")}\n`;
  }

  const LOOKS = ["fill", "stroke", "stroke-width", "font-size", "font-weight", "text-anchor", "paint-order"];

  // A copy that looks the same without the page's style sheets.
  function standsAlone(svg) {
    const copy = svg.cloneNode(true);
    const theirs = [...svg.querySelectorAll("*")];
    [...copy.querySelectorAll("*")].forEach((element, place) => {
      const computed = getComputedStyle(theirs[place]);
      const looks = element.closest(".now") ? LOOKS : [...element.style];
      for (const look of looks) element.style.setProperty(look, computed.getPropertyValue(look));
    });
    copy.querySelectorAll(".here").forEach((ring) => ring.remove());
    copy.removeAttribute("data-marks");
    const { color, fontFamily } = getComputedStyle(svg);
    copy.removeAttribute("style");
    Object.assign(copy.style, { color, fill: color, fontFamily, strokeLinejoin: "round" });
    copy.setAttribute("xmlns", SVG);
    return new XMLSerializer().serializeToString(copy);
  }

  function lines(context, text, room) {
    const found = [""];
    for (const word of text.split(" ")) {
      const longer = `${found.at(-1)} ${word}`.trim();
      if (context.measureText(longer).width > room && found.at(-1)) found.push(word);
      else found[found.length - 1] = longer;
    }
    return found;
  }

  async function picture(figure, svg) {
    const times = 2, size = 17, margin = 12;
    const { width, height } = svg.viewBox.baseVal;
    const image = new Image(width * times, height * times);
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standsAlone(svg))}`;
    await image.decode();
    const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
    const font = `${size * times}px ${getComputedStyle(svg).fontFamily}`;
    context.font = font;
    const title = lines(context, figure.querySelector("figcaption")?.textContent ?? "", (width - 2 * margin) * times);
    const head = (title.length * size * 1.3 + margin) * times;
    canvas.width = width * times;
    canvas.height = height * times + head;
    context.fillStyle = getComputedStyle(document.body).backgroundColor;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = getComputedStyle(svg).color;
    context.font = font;
    title.forEach((line, place) => context.fillText(line, margin * times, size * times * 1.3 * (place + 1)));
    context.drawImage(image, 0, head, width * times, height * times);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.(".figure [data-save]");
    if (!button) return;
    const figure = button.closest(".figure"), svg = pictureOf(figure.querySelector(".plot"));
    if (button.dataset.save === "csv") save(new Blob([table(svg)], { type: "text/csv" }), `${nameOf(figure)}.csv`);
    else save(await picture(figure, svg), `${nameOf(figure)}.png`);
  });
})();
