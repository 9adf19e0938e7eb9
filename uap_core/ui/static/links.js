// The address follows what is chosen: nothing is loaded anew, and the way back stays one step long.
window.uapLinks = (() => {
  const NAMES = ["photo", "network", "pattern", "eps"];
  const chosen = {};
  let begun = false; // until the link has been read, nothing may overwrite it

  function put(parts) {
    Object.assign(chosen, parts);
    if (!begun) return;
    const address = new URL(window.location);
    for (const [name, value] of Object.entries(chosen)) {
      if (value) address.searchParams.set(name, value);
      else address.searchParams.delete(name);
    }
    if (address.href !== window.location.href) history.replaceState(history.state, "", address);
  }

  function follow(query) {
    const parameters = new URLSearchParams(query);
    put(Object.fromEntries(NAMES.map((name) => [name, parameters.get(name)])));
  }

  // The page opens on its first tab and then goes to the link's: what it says of tabs before that is not the visitor's choice.
  function begin(tab) {
    begun = true;
    put({ tab });
  }

  function say(sentence) {
    const said = document.querySelector("#link-said");
    said.textContent = sentence;
    setTimeout(() => {
      if (said.textContent === sentence) said.textContent = "";
    }, 5000);
  }

  // Browsers hand the clipboard to pages of https and of this machine alone; in a classroom's http the older way is left.
  async function toClipboard(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => older(text));
    return older(text);
  }

  function older(text) {
    const field = document.createElement("textarea");
    const focused = document.activeElement;
    field.value = text;
    field.style.position = "fixed";
    field.style.opacity = "0";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    focused?.focus();
    return done;
  }

  async function copy() {
    const done = (await toClipboard(window.location.href)) ? uapTexts.copied : uapTexts.byHand;
    const left = document.querySelector("#link-note [data-private]")?.textContent ?? ""; // what the link cannot carry
    say(`${done} ${left}`.trim());
  }

  return { put, follow, begin, say, copy, openTab: (tab) => begun && put({ tab }) };
})();
