// The first view: two pictures, two words, one slider. The server sends the photograph, the pattern and the network's words at
// every strength; the picture is made here, by the arithmetic of experiments/strengths.py, so that it follows the slider.
window.uapFirst = (() => {
  const T = window.uapTexts;
  const root = () => document.querySelector("#first-view .first");
  let view = null, photo = null, mode = "pattern", held = false, ten = false, playing = 0, moved = null, told = "", more = "";

  // --- what arrives ---------------------------------------------------------------------------------------------------------
  async function arrive(json, wait = 1000) {
    const next = JSON.parse(json);
    const same = view && view.key === next.key;
    if (same) {
      for (const which of ["pattern", "noise"]) next.says[which] = { ...view.says[which], ...next.says[which] };
      next.complete ||= view.complete;
    }
    const { pixels, fetched } = uapPictures;
    const asked = same ? [photo, view.pattern, view.noise] : [pixels(next.src, next.side), fetched(next.pattern), fetched(next.noise)];
    const parts = await Promise.all(asked).catch(() => null);
    if (told !== json) return; // another came meanwhile
    if (!parts) return setTimeout(() => told === json && arrive(json, 2 * wait), wait); // a request was lost: ask again
    [photo, next.pattern, next.noise] = parts;
    view = next;
    moved = null;
    root().querySelector(".was img").src = next.src;
    if (!same) held = false;
    if (more) learn(more); // may have come before this view, which was answered earlier
    draw();
    if (!view.complete && !same) uapTurns.give("ahead");
  }

  function learn(json) {
    const { key, says } = JSON.parse(json);
    if (!view || view.key !== key) return;
    for (const which of ["pattern", "noise"]) view.says[which] = { ...view.says[which], ...says[which] };
    view.complete = true;
  }

  // --- pictures -------------------------------------------------------------------------------------------------------------
  const picture = (which, strength) => uapPictures.changed(photo, view, view[which], strength);
  const amplified = (which, strength) => uapPictures.amplified(view, view[which], strength);

  const plain = () => new ImageData(new Uint8ClampedArray(photo), view.side, view.side);

  // --- words ----------------------------------------------------------------------------------------------------------------
  function answer(which, strength) {
    const says = view.says[which];
    const exact = says[String(+strength.toFixed(4))];
    if (exact) return [...exact, true];
    const near = Object.keys(says).map(Number).sort((a, b) => Math.abs(a - strength) - Math.abs(b - strength))[0];
    return [...(says[near] ?? [...view.clean, "same"]), false];
  }

  const percent = (share) => T.sure.replace("{sure}", String(Math.round(100 * share)));

  function sentence(now, happened) {
    const knows = { unsure: "own", dream: "own" }[view.knows] ?? view.knows;
    const text = T.sentences[`${knows}-${happened}`] ?? T.sentences[`${knows}-changed`];
    return text.replace("{you}", view.sight).replaceAll("{was}", view.clean[0]).replaceAll("{now}", now);
  }

  // Where the photographs of the dots tell it, the sentence is that of the slider's strength.
  function lead(strength) {
    const step = Math.round((strength / view.top) * view.leads.length);
    return view.leads[Math.min(step, view.leads.length) - 1] ?? view.lead;
  }

  function say(figure, label, sure, kind) {
    figure.dataset.kind = kind;
    figure.querySelector(".word").textContent = label;
    figure.querySelector(".sure").textContent = percent(sure);
    figure.querySelector(".track div").style.width = `${100 * sure}%`;
  }

  // --- drawing --------------------------------------------------------------------------------------------------------------
  const slider = () => document.querySelector("#epsilon input[type=range]");

  const strengthNow = () => moved ?? view.strength;

  function draw() {
    if (!view || !root()) return;
    const strength = strengthNow();
    const nothing = mode === "nothing" || strength === 0;
    const which = mode === "noise" ? "noise" : "pattern";
    const [label, sure, happened, known] = nothing ? [...view.clean, "same", true] : answer(which, strength);
    const element = root(), now = element.querySelector(".now"), canvas = now.querySelector(".frame > canvas");
    const shown = held || nothing ? plain() : ten ? amplified(which, strength) : picture(which, strength);
    if (canvas.width !== view.side) canvas.width = canvas.height = view.side;
    canvas.getContext("2d").putImageData(shown, 0, 0);
    element.dataset.small = String(view.input < view.side);
    element.dataset.strength = String(strength);
    element.dataset.network = view.network;
    say(element.querySelector(".was"), ...view.clean, "clean");
    say(now, label, sure, happened);
    now.classList.toggle("asking", !known);
    element.querySelector(".was .tag").textContent = ["own", "unsure"].includes(view.knows) ? T.middle : T.photograph;
    now.querySelector(".tag").textContent = held || nothing ? T.without : which === "noise" ? T.withNoise : T.withPattern;
    const text = sentence(label, happened);
    const headline = element.querySelector(".sentence");
    if (headline.textContent !== text && known) headline.textContent = text;
    const holds = which === "pattern" && !nothing && known && happened === "same" ? T.holds : "";
    const about = { unsure: T.unsure, dream: T.dream }[view.knows], near = happened === "near" ? T.near : "";
    element.querySelector(".lead").textContent = [about, near, lead(strength), holds].filter(Boolean).join(" ");
    element.querySelector(".maker").innerHTML = view.foreign;
    inset(now.querySelector(".inset"), shown);
    for (const input of document.querySelectorAll("#modes input")) input.checked = input.value === mode;
    window.uapDots?.draw(strength);
  }

  // A small network gets the saved picture shrunken; drawn by the browser, for the eye alone.
  function inset(place, shown) {
    place.hidden = view.input >= view.side;
    if (place.hidden) return;
    const whole = new OffscreenCanvas(view.side, view.side);
    whole.getContext("2d").putImageData(shown, 0, 0);
    const small = place.querySelector("canvas");
    small.width = small.height = view.input;
    const context = small.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(whole, 0, 0, view.input, view.input);
  }

  let asked = false;
  function drawSoon() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  }

  // --- controls -------------------------------------------------------------------------------------------------------------
  function set(strength, tell) {
    moved = Math.min(view.top, Math.max(0, strength));
    drawSoon();
    for (const input of document.querySelectorAll("#epsilon input")) {
      input.value = String(+moved.toFixed(2));
      if (tell) input.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  function choose(next) {
    mode = next;
    drawSoon();
  }

  // From nothing to the slider's strength and on to its end, and back to where it was.
  function play() {
    if (playing) return stop();
    if (!view) return;
    const end = strengthNow() || view.pattern.radius, begun = performance.now(), LONG = 4000;
    if (mode === "nothing") mode = "pattern";
    label(true);
    const step = (time) => {
      const share = Math.min(1, (time - begun) / LONG);
      moved = Math.round(end * share * 4) / 4;
      for (const input of document.querySelectorAll("#epsilon input")) input.value = String(moved);
      draw();
      if (share < 1) playing = requestAnimationFrame(step);
      else { playing = 0; label(false); set(end, true); }
    };
    playing = requestAnimationFrame(step);
  }

  function stop() {
    cancelAnimationFrame(playing);
    playing = 0;
    label(false);
    set(strengthNow(), true);
  }

  function label(on) {
    const button = document.querySelector("#bar-buttons [data-bar=play]");
    button.textContent = on ? T.pause : T.play;
    button.setAttribute("aria-pressed", String(on));
  }

  document.addEventListener("input", (event) => {
    if (event.target.closest?.("#epsilon") && view && !playing) {
      const value = Number(event.target.value);
      if (event.isTrusted && Number.isFinite(value)) { moved = Math.min(view.top, Math.max(0, value)); drawSoon(); }
    }
    if (event.target.closest?.("#modes")) choose(event.target.value);
  });

  document.addEventListener("click", (event) => {
    const tool = event.target.closest?.("[data-tool], [data-bar]");
    if (!tool) return;
    const what = tool.dataset.tool ?? tool.dataset.bar;
    if (what === "ten") { ten = !ten; tool.setAttribute("aria-pressed", String(ten)); draw(); }
    if (what === "play") play();
    if (what === "slide") uapSlide.save(view, root());
    if (what === "another") another();
  });

  function hold(on) {
    if (!view || held === on) return;
    held = on;
    draw();
  }
  const holds = (event) => event.target.closest?.("[data-tool=hold], #first-view .now canvas[role=img]");
  document.addEventListener("pointerdown", (event) => event.button === 0 && holds(event) && hold(true));
  document.addEventListener("contextmenu", (event) => held && holds(event) && event.preventDefault()); // of a finger that rests there
  for (const end of ["pointerup", "pointercancel", "blur"]) window.addEventListener(end, () => hold(false));
  document.addEventListener("keydown", (event) => { if (event.key === " " && event.target.closest?.("[data-tool=hold]")) hold(true); });
  document.addEventListener("keyup", (event) => { if (event.key === " ") hold(false); });

  const photos = () => [...document.querySelectorAll("#strip [data-photo]")];

  function another(by = 0) {
    const all = photos(), at = all.findIndex((one) => one.getAttribute("aria-pressed") === "true");
    const random = () => { let next = at; while (next === at && all.length > 1) next = Math.floor(Math.random() * all.length); return next; };
    all[by ? (at + by + all.length) % all.length : random()]?.click();
  }

  // --- what changes on the page ---------------------------------------------------------------------------------------------
  let looking = false;
  function look() {
    if (looking) return;
    looking = true;
    requestAnimationFrame(() => {
      looking = false;
      const json = document.querySelector("#first-data [data-view]")?.dataset.view;
      if (json && json !== told && root()) { told = json; arrive(json); }
      const words = document.querySelector("#first-words [data-view]")?.dataset.view;
      if (words && words !== more) { more = words; learn(words); draw(); }
      const chosen = document.querySelector("#now-photo [data-chosen]")?.dataset.chosen;
      for (const one of photos()) {
        const is = String(one.dataset.photo === chosen);
        if (one.getAttribute("aria-pressed") !== is) one.setAttribute("aria-pressed", is);
      }
    });
  }
  // Gradio changes what it can in place, so attributes count too.
  const changes = { childList: true, subtree: true, attributes: true, attributeFilter: ["data-view", "data-chosen"] };
  new MutationObserver(look).observe(document.documentElement, changes);

  return {
    another, play, choose, set,
    mode: () => mode,
    complete: () => Boolean(view?.complete),
    strength: () => (view ? strengthNow() : 0),
    shown: () => root()?.querySelector(".now .frame > canvas"),
  };
})();
