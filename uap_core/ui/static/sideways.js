// What is wider than its place moves sideways within it. Here it is marked at which side more of it lies: there it fades out, and a
// sentence above it says so (static/layout.css, tabs.css). The tab that is open is brought into the row's view.
(() => {
  const MOVES = "[role=tablist], .wide, .figure.fixed .scroll, #strip-row, #strip";
  const EVERY = 300; // milliseconds: the page changes a thousand times while it opens

  function mark(place) {
    const beyond = place.scrollWidth - place.clientWidth;
    const left = beyond > 2 && place.scrollLeft > 2, right = beyond > 2 && place.scrollLeft < beyond - 2;
    const more = left && right ? "both" : left ? "left" : right ? "right" : "";
    if ((place.dataset.more ?? "") === more) return;
    if (more) place.dataset.more = more;
    else delete place.dataset.more;
  }

  let asked = 0;
  function markSoon() {
    if (asked) return;
    asked = setTimeout(() => {
      asked = 0;
      document.querySelectorAll(MOVES).forEach(mark);
      document.querySelectorAll("[role=tab][aria-selected=true]").forEach(show);
    }, EVERY);
  }

  const shown = new WeakMap(); // of each open tab how long its row was then: a row that someone moves stays where it is
  function show(tab) {
    const row = tab.parentElement;
    if (!row.clientWidth || (row.dataset.shown === tab.dataset.tabId && shown.get(row) === row.scrollWidth)) return;
    row.dataset.shown = tab.dataset.tabId;
    shown.set(row, row.scrollWidth);
    row.scrollLeft = tab.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  }

  const changes = { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-selected", "open"] };
  new MutationObserver(markSoon).observe(document.documentElement, changes);
  window.addEventListener("resize", markSoon);
  document.addEventListener("scroll", (event) => event.target.matches?.(MOVES) && mark(event.target), { capture: true, passive: true });
})();
