// The tour's bar, for eyes and ears: scroll to what a step speaks of, keep the keyboard on the bar, let readers say the sentence.
window.uapTour = (() => {
  const PATIENCE = 10000, PAUSE = 150;
  let visit = 0, arrived;

  const stop = () => document.querySelector("#tour [data-stop]");

  function prepare() {
    const says = document.querySelector("#tour-says");
    says.setAttribute("role", "status");
    says.setAttribute("aria-live", "polite");
    says.parentElement.setAttribute("role", "region");
    says.parentElement.setAttribute("aria-label", uapTexts.tour);
    new MutationObserver(arrive).observe(says, { childList: true, subtree: true, characterData: true });
    for (const moved of ["wheel", "touchmove"]) window.addEventListener(moved, () => visit++, { passive: true });
  }

  function arrive() {
    const here = stop();
    if (here?.dataset.stop === arrived) return;
    arrived = here?.dataset.stop;
    visit++;
    if (!here) {
      if (!document.querySelector("#tour-says p, #tour-says .problem")) document.querySelector("#tour-start").focus({ preventScroll: true });
      return;
    }
    const focused = document.activeElement;
    if (!focused || focused === document.body || focused.disabled || focused.id === "tour-start") {
      document.querySelector("#tour-next").focus({ preventScroll: true });
    }
    scrollTo(here.dataset.shows, visit, performance.now());
  }

  // Charts and tables come a moment later than the sentence, so wait until the place stands still.
  function scrollTo(selector, mine, since, before = null) {
    if (mine !== visit || performance.now() - since > PATIENCE) return;
    const place = document.querySelector(selector)?.getBoundingClientRect();
    const there = place && place.height > 40 ? place.top + window.scrollY : null;
    if (there === null || there !== before) {
      setTimeout(() => scrollTo(selector, mine, since, there), PAUSE);
      return;
    }
    const bar = document.querySelector("#tour").getBoundingClientRect().bottom + 16;
    if (place.top >= bar && place.bottom <= window.innerHeight) return;
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    window.scrollTo({ top: there - bar, behavior: calm ? "auto" : "smooth" });
  }

  return { prepare };
})();
