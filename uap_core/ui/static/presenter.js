// Presenter mode is a class on the whole document; the link remembers it. Keys do what a lecture needs.
window.uapPresenter = (() => {
  const root = document.documentElement;
  const isOn = () => root.classList.contains("present");
  root.classList.toggle("present", new URLSearchParams(window.location.search).get("present") === "1");
  root.classList.toggle("embed", new URLSearchParams(window.location.search).has("embed"));

  function mark() {
    document.querySelector("#present")?.setAttribute("aria-pressed", String(isOn()));
    hint();
  }

  function toggle() {
    root.classList.toggle("present");
    mark();
    uapLinks.put({ present: isOn() ? "1" : "" });
  }

  // Which keys there are, and the way out, which Escape is, too: seen at first and whenever the pointer moves, then it fades.
  const SEEN = 8000;
  let card, fades;
  function hint() {
    if (isOn() && !card) {
      card = document.body.appendChild(document.createElement("aside"));
      card.id = "presenter-hint";
      const out = document.createElement("button");
      out.type = "button";
      out.addEventListener("click", toggle);
      const lines = [...uapTexts.keys, ["Esc", uapTexts.leave]].map(([key, does]) => {
        const line = document.createElement("div"), cap = document.createElement("kbd");
        cap.textContent = key;
        line.append(cap, ` ${does}`);
        return line;
      });
      out.append(...lines.splice(-1)[0].childNodes);
      card.append(...lines, out);
    }
    card?.classList.add("on");
    clearTimeout(fades);
    fades = setTimeout(() => card?.classList.remove("on"), SEEN);
  }
  document.addEventListener("pointermove", () => isOn() && hint(), { passive: true });

  const KEYS = {
    ArrowRight: () => uapFirst.another(1),
    ArrowLeft: () => uapFirst.another(-1),
    " ": () => uapFirst.choose(uapFirst.mode() === "pattern" ? "nothing" : "pattern"),
    "+": () => uapFirst.set(uapFirst.strength() + 1, true),
    "-": () => uapFirst.set(uapFirst.strength() - 1, true),
    n: () => uapTurns.give("next-network"),
    f: () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()),
  };

  // What takes these keys itself: text is typed there, or something else is moved.
  const OWN_KEYS = "input:not([type=range]):not([type=radio]), input[type=range]:not(#epsilon input), textarea, button, select, canvas,"
    + " [role=tab], [role=slider], [role=application], .figure .plot";
  document.addEventListener("keydown", (event) => {
    if (!isOn()) return;
    const busy = document.activeElement?.getAttribute("aria-expanded") === "true";
    if (event.key === "Escape" && !document.fullscreenElement && !busy) return toggle(); // first closes what is open
    const typing = event.target.closest?.(OWN_KEYS);
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }, true);

  return { mark, toggle };
})();
