// What Gradio has no setting for: places whose sentences screen readers say when they change, and tabs that fit after all.
(() => {
  const SPOKEN = '#craft-labels, [id$="-status"], [id$="-said"], #epsilon-note, #photo-note, #pattern-note';
  const SETTLED = 250; // milliseconds after the last change of the window's size

  let asked = false;

  function tidySoon() { // once a frame at most: the page changes a thousand times while it opens
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      for (const place of document.querySelectorAll(SPOKEN)) place.setAttribute("aria-live", "polite");
    });
  }

  new MutationObserver(tidySoon).observe(document.documentElement, { childList: true, subtree: true });

  // Gradio counts which tabs fit while the window still grows, and leaves the last ones in its list: let it count once more.
  let timer;
  window.addEventListener("resize", (event) => {
    if (!event.isTrusted) return;
    clearTimeout(timer);
    timer = setTimeout(() => window.dispatchEvent(new Event("resize")), SETTLED);
  });
})();
