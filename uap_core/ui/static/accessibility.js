// What Gradio has no setting for: words for its pictures, places whose sentences screen readers say when they change, and keys
// for its divider.
(() => {
  const SIDES = [window.uapTexts.before, window.uapTexts.after];
  const SPOKEN = '#verdict, #craft-labels, [id$="-status"], [id$="-said"], #epsilon-note, #photo-note, #pattern-note';

  function tell(image, words) {
    if (image.alt !== words) image.alt = words;
  }

  const STEP = 0.05; // of the picture's width that an arrow key moves the divider
  const PLACES = { ArrowLeft: (now) => now - STEP, ArrowRight: (now) => now + STEP, Home: () => 0, End: () => 1 };

  // Gradio's divider knows the mouse alone, and goes to wherever that is pressed: a key does the same.
  function giveKeys(handle) {
    if (handle.getAttribute("role") === "slider") return;
    const room = () => handle.parentElement.getBoundingClientRect();
    const place = () => new DOMMatrix(getComputedStyle(handle).transform).m41 / room().width;
    const state = () => handle.setAttribute("aria-valuenow", String(Math.round(100 * place())));
    const words = { role: "slider", tabindex: "0", "aria-label": window.uapTexts.divider, "aria-valuemin": "0", "aria-valuemax": "100" };
    for (const [name, value] of Object.entries(words)) handle.setAttribute(name, value);
    state();
    new MutationObserver(state).observe(handle, { attributes: true, attributeFilter: ["style"] });
    handle.addEventListener("keydown", (event) => {
      const wanted = PLACES[event.key]?.(place());
      if (wanted === undefined) return;
      event.preventDefault();
      const { left, top, width } = room();
      const at = { view: window, bubbles: true, clientX: left + width * Math.min(1, Math.max(0, wanted)), clientY: top };
      handle.dispatchEvent(new MouseEvent("mousedown", at));
      window.dispatchEvent(new MouseEvent("mouseup", at));
    });
  }

  let asked = false;

  function tidySoon() { // once a frame at most: the page changes a thousand times while it opens
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; tidy(); });
  }

  function tidy() {
    document.querySelectorAll("#before-after img").forEach((image, side) => tell(image, SIDES[side] ?? image.alt));
    document.querySelectorAll('#before-after [data-testid="slider"]').forEach(giveKeys);
    for (const place of document.querySelectorAll(SPOKEN)) place.setAttribute("aria-live", "polite");
  }

  const changes = { childList: true, subtree: true, attributes: true, attributeFilter: ["alt"] };
  new MutationObserver(tidySoon).observe(document.documentElement, changes);
})();
