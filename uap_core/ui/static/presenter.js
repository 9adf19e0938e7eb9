// Presenter mode is a class on the whole document; the link remembers it.
window.uapPresenter = (() => {
  const root = document.documentElement;
  const isOn = () => root.classList.contains("present");
  root.classList.toggle("present", new URLSearchParams(window.location.search).get("present") === "1");

  function mark() {
    document.querySelector("#present")?.setAttribute("aria-pressed", String(isOn()));
  }

  function toggle() {
    root.classList.toggle("present");
    mark();
    uapLinks.put({ present: isOn() ? "1" : "" });
    uapLinks.say(isOn() ? uapTexts.presenting : "");
    window.dispatchEvent(new Event("resize")); // tabs count anew how many of them fit
  }

  // Escape first closes what is open: a list, a picture that fills the screen.
  document.addEventListener("keydown", (event) => {
    const busy = document.fullscreenElement || document.activeElement?.getAttribute("aria-expanded") === "true";
    if (event.key === "Escape" && isOn() && !busy) toggle();
  }, true);

  return { mark, toggle };
})();
