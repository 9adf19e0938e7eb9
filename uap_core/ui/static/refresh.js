// Who looks again at what is chosen: the open tab at once, the address a moment later. Told here and not on the server, since
// each question costs the page more than its answer: so a choice costs one for the open tab, however many tabs there are.
window.uapTurns = (() => {
  const LATER = 300; // milliseconds: a slider that is dragged asks for one address
  const SETTLED = 150; // after the last movement of the slider the server is asked; the picture has followed it already
  let open = "apply";
  let begun = false; // until the link has been read, what sliders say of themselves is nobody's choice
  let timer, mover;

  document.addEventListener("DOMContentLoaded", () => { document.body.dataset.tab = open; });

  const give = (name) => document.querySelector(`#turn-${name}`)?.click();

  function chosen() {
    begun = true;
    give(open);
    clearTimeout(timer);
    timer = setTimeout(give, LATER, "later");
  }

  function moved() {
    if (!begun) return;
    clearTimeout(mover);
    mover = setTimeout(chosen, SETTLED);
  }

  // Who comes back to the Lab comes back to the tab within it.
  const within = (tab) =>
    (tab === "lab" && document.querySelector("#lab-tabs [role=tab][aria-selected=true]")?.dataset.tabId) || tab;

  function show(tab) {
    open = within(tab);
    document.body.dataset.tab = open;
    give(open);
  }

  return { chosen, show, moved, give };
})();
