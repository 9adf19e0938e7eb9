// The view as one picture of 1600 x 900 pixels, for a slide: the sentence, both pictures, both words.
window.uapSlide = (() => {
  const WIDTH = 1600, HEIGHT = 900, EDGE = 60, SIDE = 560, TOP = 170;
  const BEFORE = "#0369a1", AFTER = "#c2410c"; // the page's own, in the light: paper is white

  function fit(context, text, width, size, weight) {
    do context.font = `${weight} ${size--}px "Source Sans Pro", sans-serif`;
    while (context.measureText(text).width > width && size > 18);
    return text;
  }

  function paint(root, view) {
    const canvas = document.createElement("canvas");
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    const context = canvas.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, WIDTH, HEIGHT);
    context.fillStyle = "#1e293b";
    context.fillText(fit(context, root.querySelector(".sentence").textContent, WIDTH - 2 * EDGE, 56, 700), EDGE, 90);
    context.fillText(fit(context, root.querySelector(".lead").textContent, WIDTH - 2 * EDGE, 28, 400), EDGE, 138);
    const left = WIDTH / 2 - SIDE - 20, right = WIDTH / 2 + 20;
    context.imageSmoothingQuality = "high";
    context.drawImage(root.querySelector(".was img"), left, TOP, SIDE, SIDE);
    context.drawImage(root.querySelector(".now .frame > canvas"), right, TOP, SIDE, SIDE);
    const now = root.querySelector(".now").dataset.kind === "same" ? BEFORE : AFTER;
    for (const [x, name, colour] of [[left, ".was", BEFORE], [right, ".now", now]]) {
      const figure = root.querySelector(name);
      context.fillStyle = colour;
      context.fillText(fit(context, figure.querySelector(".word").textContent, SIDE, 52, 700), x, TOP + SIDE + 64);
      context.fillStyle = "#475569";
      context.font = '400 26px "Source Sans Pro", sans-serif';
      context.fillText(figure.querySelector(".sure").textContent, x, TOP + SIDE + 100);
    }
    const strength = window.uapTexts.strength.replace("{level}", String(+(+root.dataset.strength).toFixed(1)));
    context.fillText(`${view.network} · ${strength}`, EDGE, HEIGHT - 24);
    return canvas;
  }

  function save(view, root) {
    if (!view) return;
    const link = document.createElement("a");
    link.download = "universal-perturbation.png";
    link.href = paint(root, view).toDataURL("image/png");
    link.click();
  }

  return { save };
})();
