// Digits made in the page by the generator that ships: a walk between two codes, and a guess: drawn or made?
globalThis.uapDigitsRoom = (root) => {
  const S = JSON.parse(root.dataset.sent), pick = (name) => root.querySelector(`[data-digit="${name}"]`);
  let maker, ends, sheet, shown, right = 0, asked = 0;

  const code = () => Array.from({ length: maker.shape.code }, () => 2 * Math.random() - 1);
  const sigmoid = (x) => 255 / (1 + Math.exp(-x));

  // Ink is dark on the page's light card, in both themes.
  function paint(canvas, grey) {
    const side = S.side, image = new ImageData(side, side);
    for (let k = 0; k < side * side; k++) {
      image.data.fill(255 - grey(k), 4 * k, 4 * k + 3);
      image.data[4 * k + 3] = 255;
    }
    canvas.width = canvas.height = side;
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  function walk() {
    const share = Number(pick("walk").value) / 100;
    const values = maker.make(ends[0].map((a, i) => (1 - share) * a + share * ends[1][i]));
    paint(pick("walked"), (k) => sigmoid(values[k]));
  }

  function next() {
    shown = Math.random() < 0.5 ? "real" : "made";
    if (shown === "made") {
      const values = maker.make(code());
      paint(pick("guessed"), (k) => sigmoid(values[k]));
    } else {
      const at = Math.floor(Math.random() * S.drawn);
      paint(pick("guessed"), (k) => sheet[4 * (Math.floor(k / S.side) * S.drawn * S.side + at * S.side + (k % S.side))]);
    }
  }

  function guess(said) {
    asked++;
    if (said === shown) right++;
    const text = S.texts[shown === "made" ? "was_made" : "was_real"];
    pick("score").textContent = `${text} ${S.texts.score.replace("{right}", String(right)).replace("{asked}", String(asked))}`;
    next();
  }

  async function begin() {
    const image = new Image();
    image.src = S.sheet;
    [maker] = await Promise.all([globalThis.uapMaker(S.file), image.decode()]);
    const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    sheet = context.getImageData(0, 0, image.width, image.height).data;
    ends = [code(), code()];
    walk();
    next();
  }

  root.addEventListener("input", (event) => { if (event.target.dataset.digit === "walk" && maker) walk(); });
  root.addEventListener("click", (event) => {
    const what = event.target.closest("[data-digit]")?.dataset.digit;
    if (!maker) return;
    if (what === "ends") { ends = [ends[1], code()]; pick("walk").value = "0"; walk(); }
    if (what === "real" || what === "made") guess(what);
  });
  begin();
};
