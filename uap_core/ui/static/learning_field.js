// The picture of the room "From learning to attacking": what the network says everywhere, points, arrows, the way of x, its balls.
window.uapLearningField = (canvas, view) => {
  const { net, points, left, right, low, high, cells, rows } = view, N = window.uapNet;
  const style = getComputedStyle(canvas), dark = document.body.classList.contains('dark');
  const blue = [0, 114, 178], orange = [213, 94, 0], ground = dark ? [15, 23, 42] : [255, 255, 255];
  const ink = style.getPropertyValue('--body-text-color') || '#111';
  const sharp = window.devicePixelRatio || 1, wide = canvas.clientWidth || 600, tall = (wide * (high - low)) / (right - left);
  canvas.width = wide * sharp;
  canvas.height = tall * sharp;
  const pen = canvas.getContext('2d');
  pen.scale(sharp, sharp);
  const across = (x) => ((x - left) / (right - left)) * wide, down = (y) => ((high - y) / (high - low)) * tall;
  const unit = wide / (right - left);

  // p(orange) on a grid, as colour: pale where it hardly knows, strong where it is sure.
  const said = Array.from({ length: rows + 1 }, (_, r) => Array.from({ length: cells + 1 }, (_, c) =>
    N.forward(net, [left + (c / cells) * (right - left), high - (r / rows) * (high - low)]).p[1]));
  const small = new OffscreenCanvas(cells + 1, rows + 1), brush = small.getContext('2d'), image = brush.createImageData(cells + 1, rows + 1);
  said.flat().forEach((p, i) => {
    const colour = p > 0.5 ? orange : blue, strength = 0.1 + 0.5 * Math.abs(2 * p - 1);
    for (let k = 0; k < 3; k++) image.data[4 * i + k] = ground[k] + strength * (colour[k] - ground[k]);
    image.data[4 * i + 3] = 255;
  });
  brush.putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = true;
  pen.drawImage(small, 0.5, 0.5, cells, rows, 0, 0, wide, tall);

  // The boundary p = 1/2: where it crosses the sides of the grid's squares.
  pen.strokeStyle = ink;
  pen.lineWidth = 2;
  pen.beginPath();
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cells; c++) {
      const corners = [[r, c], [r, c + 1], [r + 1, c + 1], [r + 1, c]], cut = [];
      corners.forEach(([y, x], k) => {
        const [v, u] = corners[(k + 1) % 4], a = said[y][x] - 0.5, b = said[v][u] - 0.5;
        if (a > 0 !== b > 0) cut.push([x + ((u - x) * a) / (a - b), y + ((v - y) * a) / (a - b)]);
      });
      if (cut.length < 2) continue;
      pen.moveTo((cut[0][0] / cells) * wide, (cut[0][1] / rows) * tall);
      pen.lineTo((cut[1][0] / cells) * wide, (cut[1][1] / rows) * tall);
    }
  }
  pen.stroke();

  const arrow = (x, y, dx, dy, width, head) => {
    const angle = Math.atan2(dy, dx);
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + dx, y + dy);
    pen.moveTo(x + dx - head * Math.cos(angle - 0.5), y + dy - head * Math.sin(angle - 0.5));
    pen.lineTo(x + dx, y + dy);
    pen.lineTo(x + dx - head * Math.cos(angle + 0.5), y + dy - head * Math.sin(angle + 0.5));
    pen.stroke();
  };
  if (view.arrows) {
    pen.globalAlpha = 0.65;
    for (let x = left + 0.25; x < right; x += 0.4) {
      for (let y = low + 0.2; y < high; y += 0.4) {
        const g = N.backward(net, [x, y], view.y).x, size = Math.hypot(...g);
        if (size < 1e-3) continue;
        const length = (unit * 0.3 * Math.sqrt(Math.min(1, size / 3))) / size;
        arrow(across(x), down(y), g[0] * length, -g[1] * length, 1.2, 4);
      }
    }
    pen.globalAlpha = 1;
  }

  for (const { x, y } of points) {
    pen.fillStyle = `rgb(${(y ? orange : blue).join()})`;
    pen.strokeStyle = dark ? '#0f172a' : '#fff';
    pen.lineWidth = 1;
    pen.beginPath();
    if (y) pen.rect(across(x[0]) - 3.5, down(x[1]) - 3.5, 7, 7);
    else pen.arc(across(x[0]), down(x[1]), 4, 0, 7);
    pen.fill();
    pen.stroke();
  }

  // The balls about the start of x, then its way.
  const [a, b] = [across(view.start[0]), down(view.start[1])], size = view.radius * unit;
  pen.strokeStyle = ink;
  for (const [kind, shape] of [['l2', () => pen.arc(a, b, size, 0, 7)], ['linf', () => pen.rect(a - size, b - size, 2 * size, 2 * size)]]) {
    pen.setLineDash(view.ball === kind ? [] : [5, 5]);
    pen.lineWidth = view.ball === kind ? 2.2 : 1.2;
    pen.beginPath();
    shape();
    pen.stroke();
  }
  pen.setLineDash([]);
  pen.lineWidth = 2.5;
  pen.lineJoin = 'round';
  pen.beginPath();
  view.path.forEach(([x, y], i) => pen[i ? 'lineTo' : 'moveTo'](across(x), down(y)));
  pen.stroke();
  const ring = (x, y, radius, filled) => {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.fillStyle = filled;
    pen.fill();
    pen.lineWidth = 2.5;
    pen.stroke();
  };
  if (view.path.length > 1) ring(a, b, 4.5, `rgb(${(view.y ? orange : blue).join()})`);
  ring(across(view.x[0]), down(view.x[1]), 8, `rgb(${(view.y ? orange : blue).join()})`);
  pen.fillStyle = ink;
  pen.font = `italic 700 17px ${style.fontFamily}`;
  pen.fillText('x', across(view.x[0]) + 11, down(view.x[1]) - 9);
};
