// Who looks again at what is chosen: the open tab and its open folds at once, the address a moment later. Told here and not on
// the server, since each question costs the page more than its answer: so a choice costs those of the open tab, however many
// tabs there are, and what is folded away costs none.
window.uapTurns = (() => {
  const LATER = 300; // milliseconds: a slider that is dragged asks for one address
  const SETTLED = 150; // after the last movement of the slider the server is asked; the picture has followed it already
  const IN_SIGHT = 60; // until a tab or a fold that is opened can be seen
  const TOGETHER = 500; // at most between the two that a list says of one choice
  let open = "apply";
  let begun = false; // until the link has been read, what sliders say of themselves is nobody's choice
  let timer, mover;

  document.addEventListener("DOMContentLoaded", () => { document.body.dataset.tab = open; });

  const give = (name) => document.querySelectorAll(`#turn-${name}, [id^="turn-${name}--"]`).forEach((button) => button.click());

  // A fold that computes something has buttons named after it. They are pressed only while the fold is open and in sight.
  function giveFold(head) {
    if (head.classList.contains("open") && head.offsetParent) give(head.parentElement.id);
  }

  function giveOpen() {
    give(open);
    setTimeout(() => document.querySelectorAll("#main .label-wrap").forEach(giveFold), IN_SIGHT);
  }

  document.addEventListener("click", (event) => {
    const head = event.target.closest?.(".label-wrap");
    if (head) setTimeout(giveFold, IN_SIGHT, head);
  });

  function chosen() {
    begun = true;
    giveOpen();
    clearTimeout(timer);
    timer = setTimeout(give, LATER, "later");
  }

  function moved() {
    if (!begun) return;
    clearTimeout(mover);
    mover = setTimeout(chosen, SETTLED);
  }

  // A list says that it is an input ("meant") and that it changed, in either order, when a visitor chooses: see list_choice.py.
  const heard = {};

  function told(list, what) {
    const times = (heard[list] ||= {});
    times[what] = performance.now();
    if (!(Math.abs(times.meant - times.changed) < TOGETHER)) return;
    delete heard[list];
    give(`list-${list}`);
  }

  // Who comes back to the Lab comes back to the tab within it.
  const within = (tab) =>
    (tab === "lab" && document.querySelector("#lab-tabs [role=tab][aria-selected=true]")?.dataset.tabId) || tab;

  function show(tab) {
    open = within(tab);
    document.body.dataset.tab = open;
    giveOpen();
  }

  return { chosen, show, moved, give, told };
})();
