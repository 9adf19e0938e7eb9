// One dot for each held-out photograph: filled where its answer changes at the slider's strength. Precomputed, one bit a
// photograph and strength (experiments/outcomes.py), so nobody is asked while the slider moves.
window.uapDots = (() => {
  const T = window.uapTexts;
  const WIDE = 30, STEP = 10; // dots in a row, and how far they lie apart
  const SVG = "http://www.w3.org/2000/svg";
  let data = null, told = "", last = 0, step = -1;

  const section = () => document.querySelector("#dots .dots");

  // The first photograph is the highest bit of the first byte.
  function bits(hex, count) {
    const byte = (i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16);
    return Array.from({ length: count }, (_, i) => (byte(i >> 3) >> (7 - (i & 7))) & 1);
  }

  // In both fields a photograph has the same place: those that give way to a weaker pattern come first.
  function places(found) {
    const first = (i) => { const at = found.pattern.findIndex((row) => row[i]); return at < 0 ? found.pattern.length : at; };
    return Array.from({ length: found.count }, (_, i) => i).sort((a, b) => first(a) - first(b) || a - b);
  }

  function arrive(json) {
    const sent = JSON.parse(json), { count } = sent;
    const nothing = Array(count).fill(0);
    data = { ...sent, clean: bits(sent.clean, count) };
    for (const which of ["pattern", "noise"]) data[which] = [nothing, ...sent[which].map((hex) => bits(hex, count))];
    data.order = places(data);
    section().querySelector("h3").textContent = sent.title;
    section().querySelector(".what").textContent = sent.what;
    for (const field of section().querySelectorAll("[data-field] svg")) {
      field.setAttribute("viewBox", `0 0 ${WIDE * STEP} ${Math.ceil(count / WIDE) * STEP}`);
      field.replaceChildren(...data.order.map((photo, at) => {
        const dot = document.createElementNS(SVG, "use"), kind = data.clean[photo] ? "right" : "wrong";
        dot.setAttribute("href", `#dot-${kind}`);
        dot.setAttribute("class", kind);
        dot.setAttribute("x", (at % WIDE) * STEP);
        dot.setAttribute("y", Math.floor(at / WIDE) * STEP);
        dot.setAttribute("width", STEP);
        dot.setAttribute("height", STEP);
        return dot;
      }));
    }
    step = -1;
  }

  function draw(strength) {
    last = strength;
    const place = section();
    if (!place) return;
    if (place.hidden !== !data) place.hidden = !data;
    const unknown = document.querySelector("#dots .no-dots");
    if (unknown.hidden !== Boolean(data)) unknown.hidden = Boolean(data);
    if (!data) return;
    const now = Math.round((strength / data.top) * (data.pattern.length - 1));
    const at = Math.min(data.pattern.length - 1, Math.max(0, now));
    if (at === step) return;
    step = at;
    const level = String(+((data.top * at) / (data.pattern.length - 1)).toFixed(1));
    for (const field of place.querySelectorAll("[data-field]")) {
      const changed = data[field.dataset.field][at], dots = field.querySelector("svg");
      let count = 0, right = 0;
      data.order.forEach((photo, i) => {
        dots.children[i].classList.toggle("on", Boolean(changed[photo]));
        count += changed[photo];
        right += changed[photo] & data.clean[photo];
      });
      const said = T.dots.replace("{changed}", count).replace("{count}", data.count);
      const name = field.querySelector("b").textContent;
      field.querySelector("output").textContent = said;
      const words = T.dotsMean.replace("{name}", name).replace("{level}", level).replace("{said}", said).replace("{right}", right);
      dots.setAttribute("aria-label", words);
    }
  }

  let looking = false;
  function look() {
    if (looking) return;
    looking = true;
    requestAnimationFrame(() => {
      looking = false;
      const holder = document.querySelector("#dots-data");
      if (!holder || !section()) return;
      const json = holder.querySelector("[data-view]")?.dataset.view ?? "";
      if (json === told) return;
      told = json;
      if (json) arrive(json);
      else data = null;
      draw(last);
    });
  }
  const changes = { childList: true, subtree: true, attributes: true, attributeFilter: ["data-view"] };
  new MutationObserver(look).observe(document.documentElement, changes);

  return { draw };
})();
