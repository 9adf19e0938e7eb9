// The bar: what "more" opens, and pictures that are dropped or pasted anywhere on the page.
(() => {
  const SHOWS = "choices-open";

  function toggle(on) {
    const open = document.body.classList.toggle(SHOWS, on);
    document.querySelector("[data-bar=more]")?.setAttribute("aria-expanded", String(open));
  }

  // The path of the event, since a button may be gone once it was pressed.
  const within = (event) => event.composedPath().some((place) => place.id === "bar" || place.matches?.("ul.options"));

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-bar=more]")) toggle();
    else if (event.isTrusted && document.body.classList.contains(SHOWS) && !within(event)) toggle(false);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && toggle(false));

  function take(files) {
    const picture = [...(files ?? [])].find((file) => file.type.startsWith("image/"));
    const input = document.querySelector("#your-photo input[type=file], input#your-photo, #strip-row input[type=file]");
    if (!picture || !input) return false;
    const bag = new DataTransfer();
    bag.items.add(picture);
    input.files = bag.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  }

  // The dialog shows pictures; what is no picture all the same gets a sentence of ours, and not Gradio's.
  document.addEventListener("pointerdown", (event) => {
    const input = event.target.closest?.("#strip-row")?.querySelector("input[type=file]");
    if (input) input.accept = "image/*";
  });

  const elsewhere = (event) => event.target.closest?.("#upload, #pattern-file, input, textarea");
  document.addEventListener("dragover", (event) => {
    if (!elsewhere(event) && event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!elsewhere(event) && take(event.dataTransfer?.files)) event.preventDefault();
  });
  document.addEventListener("paste", (event) => {
    if (!elsewhere(event) && take(event.clipboardData?.files)) event.preventDefault();
  });
})();
