// What Gradio has no setting for: places whose sentences screen readers say when they change.
(() => {
  const SPOKEN = '#craft-labels, [id$="-status"], [id$="-said"], #epsilon-note, #photo-note, #pattern-note';

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
})();
