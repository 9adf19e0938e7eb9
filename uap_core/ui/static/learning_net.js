// The arithmetic of the room "From learning to attacking": a 2-H-2 network on two moons, its loss, and the derivatives of the loss
// by hand-written backpropagation. tests/browser/test_learning.py holds them equal to torch's autograd.
(() => {
  const ACTIVATIONS = {
    relu: { of: (z) => Math.max(0, z), slope: (z) => (z > 0 ? 1 : 0) },
    sigmoid: { of: (z) => 1 / (1 + Math.exp(-z)), slope: (z) => { const s = 1 / (1 + Math.exp(-z)); return s * (1 - s); } },
    tanh: { of: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2 },
  };
  const GAIN = { relu: 1.4, sigmoid: 2.5, tanh: 1.2 };

  // Numbers that look drawn by chance, the same for the same seed (mulberry32).
  function chance(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  function normal(random) {
    return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  }

  // [{x: [across, up], y: 0 or 1}, ...]: two half circles that reach into each other.
  function moons(count, seed, noise = 0.11) {
    const random = chance(seed);
    return Array.from({ length: count }, (_, i) => {
      const y = i % 2, angle = Math.PI * random();
      const place = y ? [1 - Math.cos(angle), 0.5 - Math.sin(angle)] : [Math.cos(angle), Math.sin(angle)];
      return { x: place.map((value) => value + noise * normal(random)), y };
    });
  }

  // W1 is (hidden, 2), W2 is (2, hidden).
  function begin(hidden, activation, seed) {
    const random = chance(seed);
    const row = (count, size) => Array.from({ length: count }, () => size * normal(random));
    return {
      activation,
      W1: Array.from({ length: hidden }, () => row(2, GAIN[activation])),
      b1: row(hidden, 0.5),
      W2: Array.from({ length: 2 }, () => row(hidden, 1 / Math.sqrt(hidden))),
      b2: [0, 0],
    };
  }

  const copied = (net) => ({
    activation: net.activation, W1: net.W1.map((row) => [...row]), b1: [...net.b1], W2: net.W2.map((row) => [...row]), b2: [...net.b2],
  });

  function forward(net, x) {
    const act = ACTIVATIONS[net.activation].of;
    const z = net.W1.map((row, j) => row[0] * x[0] + row[1] * x[1] + net.b1[j]);
    const h = z.map(act);
    const logits = net.W2.map((row, k) => row.reduce((sum, w, j) => sum + w * h[j], net.b2[k]));
    const top = Math.max(...logits);
    const norm = top + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - top), 0));
    return { z, h, logits, p: logits.map((value) => Math.exp(value - norm)), logp: logits.map((value) => value - norm) };
  }

  const pointLoss = (net, x, y) => -forward(net, x).logp[y];
  const meanLoss = (net, points) => points.reduce((sum, { x, y }) => sum + pointLoss(net, x, y), 0) / points.length;
  const rightShare = (net, points) =>
    points.filter(({ x, y }) => forward(net, x).p[y] > 0.5).length / points.length;

  // Of J(x, y) = -log p_y: its derivatives by every weight and by x. One pass back.
  function backward(net, x, y) {
    const { z, h, p, logp } = forward(net, x);
    const slope = ACTIVATIONS[net.activation].slope;
    const dlogits = p.map((value, k) => value - (k === y ? 1 : 0));
    const dz = z.map((value, j) => (dlogits[0] * net.W2[0][j] + dlogits[1] * net.W2[1][j]) * slope(value));
    return {
      J: -logp[y],
      W2: dlogits.map((d) => h.map((value) => d * value)),
      b2: dlogits,
      W1: dz.map((d) => [d * x[0], d * x[1]]),
      b1: dz,
      x: [0, 1].map((i) => dz.reduce((sum, d, j) => sum + d * net.W1[j][i], 0)),
    };
  }

  // The same of the mean over points, by the weights.
  function meanGradient(net, points) {
    const sum = { W1: net.W1.map(() => [0, 0]), b1: net.b1.map(() => 0), W2: net.W2.map((row) => row.map(() => 0)), b2: [0, 0], J: 0 };
    for (const { x, y } of points) {
      const g = backward(net, x, y);
      sum.J += g.J / points.length;
      for (const name of ['b1', 'b2']) g[name].forEach((value, i) => { sum[name][i] += value / points.length; });
      for (const name of ['W1', 'W2']) {
        g[name].forEach((row, i) => row.forEach((value, j) => { sum[name][i][j] += value / points.length; }));
      }
    }
    return sum;
  }

  // learn: W <- W - rate dJ/dW, on all points at once.
  function learn(net, points, rate) {
    const g = meanGradient(net, points), next = copied(net);
    for (const name of ['b1', 'b2']) next[name] = next[name].map((value, i) => value - rate * g[name][i]);
    for (const name of ['W1', 'W2']) next[name] = next[name].map((row, i) => row.map((value, j) => value - rate * g[name][i][j]));
    return next;
  }

  // attack: x <- x + rate dJ/dx, and back into the ball of this radius about the start where one is wanted.
  function attack(net, x, y, rate, start, ball, radius) {
    const g = backward(net, x, y).x;
    const moved = x.map((value, i) => value + rate * g[i] - start[i]);
    const length = Math.hypot(...moved);
    if (ball === 'l2' && length > radius) return start.map((value, i) => value + (moved[i] * radius) / length);
    if (ball === 'linf') return start.map((value, i) => value + Math.max(-radius, Math.min(radius, moved[i])));
    return start.map((value, i) => value + moved[i]);
  }

  // (J(w + h) - J(w - h)) / 2h for one weight, named by its matrix and its place in it.
  function finiteDifference(net, points, name, i, j, step = 1e-4) {
    const shifted = (by) => {
      const other = copied(net);
      if (j === null) other[name][i] += by; else other[name][i][j] += by;
      return meanLoss(other, points);
    };
    return (shifted(step) - shifted(-step)) / (2 * step);
  }

  const isSound = (net, points) => {
    const J = meanLoss(net, points);
    return Number.isFinite(J) && J < 30 && [...net.W1, ...net.W2, net.b1, net.b2].flat().every(Number.isFinite);
  };

  window.uapNet = {
    moons, begin, forward, pointLoss, meanLoss, rightShare, backward, meanGradient, learn, attack, finiteDifference, isSound,
  };
})();
