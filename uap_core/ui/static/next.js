// A button with data-go opens the tab of that name, and shows its beginning.
(() => {
  document.addEventListener("click", (event) => {
    const tab = event.target.closest?.("[data-go]")?.dataset.go;
    if (!tab) return;
    document.querySelector(`#go-${tab}`)?.click();
    window.scrollTo({ top: 0 });
  });
})();
