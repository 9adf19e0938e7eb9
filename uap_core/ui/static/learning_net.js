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
    const units = net.W1.length, z = new Array(units), h = new Array(units);
    let [blue, orange] = net.b2;
    for (let j = 0; j < units; j++) {
      z[j] = net.W1[j][0] * x[0] + net.W1[j][1] * x[1] + net.b1[j];
      h[j] = act(z[j]);
      blue += net.W2[0][j] * h[j];
      orange += net.W2[1][j] * h[j];
    }
    const top = Math.max(blue, orange), norm = top + Math.log(Math.exp(blue - top) + Math.exp(orange - top));
    const logp = [blue - norm, orange - norm];
    return { z, h, logp, p: [Math.exp(logp[0]), Math.exp(logp[1])] };
  }

  const pointLoss = (net, x, y) => -forward(net, x).logp[y];
  const meanLoss = (net, points) => points.reduce((sum, { x, y }) => sum + pointLoss(net, x, y), 0) / points.length;
  const rightShare = (net, points) =>
    points.filter(({ x, y }) => forward(net, x).p[y] > 0.5).length / points.length;

  const nothing = (net) => ({
    J: 0, W1: net.W1.map(() => [0, 0]), b1: net.b1.map(() => 0), W2: net.W2.map((row) => row.map(() => 0)), b2: [0, 0], x: [0, 0],
  });

  // Adds to `sum`, times `share`, J(x, y) = -log p_y and its derivatives by every weight and by x: one pass back.
  function passBack(net, x, y, share, sum) {
    const { z, h, p, logp } = forward(net, x), slope = ACTIVATIONS[net.activation].slope;
    const [d0, d1] = [share * (p[0] - (y === 0 ? 1 : 0)), share * (p[1] - (y === 1 ? 1 : 0))];
    sum.J -= share * logp[y];
    sum.b2[0] += d0;
    sum.b2[1] += d1;
    for (let j = 0; j < z.length; j++) {
      const back = (d0 * net.W2[0][j] + d1 * net.W2[1][j]) * slope(z[j]);
      sum.W2[0][j] += d0 * h[j];
      sum.W2[1][j] += d1 * h[j];
      sum.b1[j] += back;
      for (let i = 0; i < 2; i++) {
        sum.W1[j][i] += back * x[i];
        sum.x[i] += back * net.W1[j][i];
      }
    }
    return sum;
  }

  const backward = (net, x, y) => passBack(net, x, y, 1, nothing(net));

  // The same of the mean over points, by the weights.
  const meanGradient = (net, points) =>
    points.reduce((sum, { x, y }) => passBack(net, x, y, 1 / points.length, sum), nothing(net));

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
