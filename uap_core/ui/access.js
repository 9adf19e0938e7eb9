// What Gradio has no setting for: words for its pictures, and places whose sentences screen readers say when they change.
(() => {
  const SIDES = [window.uapTexts.before, window.uapTexts.after];
  const SUFFIX = / plot visualising provided data$/;
  const SPOKEN = '#verdict, #craft-labels, [id$="-status"], [id$="-said"], #epsilon-note, #photo-note, #pattern-note';

  function tell(image, words) {
    if (image.alt !== words) image.alt = words;
  }

  let asked = false;

  function tidySoon() { // once a frame at most: the page changes a thousand times while it opens
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; tidy(); });
  }

  function tidy() {
    for (const image of document.querySelectorAll(".chart img")) tell(image, image.alt.replace(SUFFIX, ""));
    document.querySelectorAll("#before-after img").forEach((image, side) => tell(image, SIDES[side] ?? image.alt));
    for (const place of document.querySelectorAll(SPOKEN)) place.setAttribute("aria-live", "polite");
  }

  const changes = { childList: true, subtree: true, attributes: true, attributeFilter: ["alt"] };
  new MutationObserver(tidySoon).observe(document.documentElement, changes);
})();
