// The pictures of the first view, by the arithmetic of experiments/strengths.py: a photograph under a pattern, the pattern alone,
// and where both come from.
window.uapPictures = (() => {
  const HAIR = 1e-3; // levels: what rounding may add before a change counts as outside its ball

  // clip(x + v) on the 8-bit grid; what rounding would carry out of the ball is rounded towards the photograph.
  function changed(photo, view, v, strength) {
    const side = view.side, made = new ImageData(side, side), out = made.data;
    const times = side / v.side, factor = v.radius ? strength / v.radius / v.unit : 0;
    const inside = v.norm === "linf" ? strength + HAIR : Infinity;
    let square = 0;
    const fill = (limit) => {
      for (let y = 0, at = 0; y < side; y++) {
        const row = Math.floor(y / times) * v.side;
        for (let x = 0; x < side; x++, at += 4) {
          const from = 3 * (row + Math.floor(x / times));
          for (let c = 0; c < 3; c++) {
            const start = photo[at + c];
            const step = Math.min(255, Math.max(0, start + v.values[from + c] * factor)) - start;
            let whole = Math.floor(start + step + 0.5) - start;
            if (Math.abs(whole) > limit) whole = Math.sign(step) * Math.floor(Math.abs(step) + HAIR);
            square += whole * whole;
            out[at + c] = start + whole;
          }
          out[at + 3] = 255;
        }
      }
    };
    fill(inside);
    if (v.norm !== "linf" && Math.sqrt(square) > strength * times + HAIR) fill(-1);
    return made;
  }

  function amplified(view, v, strength) {
    const side = view.side, made = new ImageData(side, side);
    const times = side / v.side, factor = (10 * (v.radius ? strength / v.radius : 0)) / v.unit;
    for (let y = 0, at = 0; y < side; y++) {
      for (let x = 0; x < side; x++, at += 4) {
        const from = 3 * (Math.floor(y / times) * v.side + Math.floor(x / times));
        for (let c = 0; c < 3; c++) made.data[at + c] = 127.5 + v.values[from + c] * factor;
        made.data[at + 3] = 255;
      }
    }
    return made;
  }

  async function pixels(src, side) {
    const image = new Image();
    image.src = src;
    await image.decode();
    const canvas = new OffscreenCanvas(side, side);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, side, side).data;
  }

  const files = new Map(); // changes by address, so that another photograph does not fetch the pattern again
  async function fetched(sent) {
    if (!files.has(sent.src)) {
      const answer = await fetch(sent.src);
      if (!answer.ok) throw new Error(`${answer.status} ${sent.src}`);
      files.set(sent.src, new Int16Array(await answer.arrayBuffer()));
      if (files.size > 24) files.delete(files.keys().next().value);
    }
    return { ...sent, values: files.get(sent.src) };
  }

  return { changed, amplified, pixels, fetched };
})();
