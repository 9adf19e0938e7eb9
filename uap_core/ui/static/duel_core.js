// The game of two networks in one dimension, without a page: random numbers, small networks with their gradients, the two
// steps, and what theory says of them. tests/ui/test_duel.py holds it to Torch and to closed forms.
globalThis.uapDuel = (() => {
  const BATCH = 128, CODE = 2, DRAWN = 1500, SMOOTH = 0.12, TINY = 1e-12, FAR = 0.9;
  const GRID = Array.from({ length: 241 }, (_, i) => -6 + i * 0.05), STEP = 0.05;

  // Mulberry32, and Box and Muller: the same seed, the same game.
  function chance(seed) {
    let state = seed >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return { uniform, normal };
  }

  // Fully connected layers with `bend` between them; weights and biases of all layers in one array.
  function network(sizes, bend, random) {
    const count = sizes.slice(1).reduce((sum, out, i) => sum + out * (sizes[i] + 1), 0);
    const weights = new Float64Array(count), grads = new Float64Array(count);
    let at = 0;
    const layers = sizes.slice(1).map((outs, i) => {
      const ins = sizes[i], start = at, bound = 1 / Math.sqrt(ins);
      at += outs * (ins + 1);
      for (let k = start; k < at; k++) weights[k] = bound * (2 * random.uniform() - 1);
      return { ins, outs, start, biases: start + ins * outs };
    });
    return { layers, weights, grads, bend, first: new Float64Array(count), second: new Float64Array(count), taken: 0, kept: [] };
  }

  const BENDS = {
    tanh: { to: Math.tanh, slope: (y) => 1 - y * y },
    leaky: { to: (x) => (x > 0 ? x : 0.2 * x), slope: (y) => (y > 0 ? 1 : 0.2) },
  };

  // n rows of inputs to n rows of outputs; what each layer gave is kept for `backward`.
  function forward(net, inputs, n) {
    net.kept = [inputs];
    for (const [depth, layer] of net.layers.entries()) {
      const before = net.kept[depth], after = new Float64Array(n * layer.outs), last = depth === net.layers.length - 1;
      for (let row = 0; row < n; row++) {
        for (let out = 0; out < layer.outs; out++) {
          let sum = net.weights[layer.biases + out];
          const w = layer.start + out * layer.ins, x = row * layer.ins;
          for (let i = 0; i < layer.ins; i++) sum += net.weights[w + i] * before[x + i];
          after[row * layer.outs + out] = last ? sum : BENDS[net.bend].to(sum);
        }
      }
      net.kept.push(after);
    }
    return net.kept[net.layers.length];
  }

  // From the slopes at the outputs to those at the inputs; those of the weights are added to net.grads.
  function backward(net, slopes, n) {
    let above = slopes;
    for (let depth = net.layers.length - 1; depth >= 0; depth--) {
      const layer = net.layers[depth], before = net.kept[depth], below = new Float64Array(n * layer.ins);
      for (let row = 0; row < n; row++) {
        const x = row * layer.ins;
        for (let out = 0; out < layer.outs; out++) {
          const slope = above[row * layer.outs + out], w = layer.start + out * layer.ins;
          net.grads[layer.biases + out] += slope;
          for (let i = 0; i < layer.ins; i++) {
            net.grads[w + i] += slope * before[x + i];
            below[x + i] += slope * net.weights[w + i];
          }
        }
        if (depth) for (let i = 0; i < layer.ins; i++) below[x + i] *= BENDS[net.bend].slope(before[x + i]);
      }
      above = below;
    }
    return above;
  }

  // One step of Adam down net.grads, which are then zero.
  function descend(net, rate) {
    net.taken++;
    const one = 1 - 0.5 ** net.taken, two = 1 - 0.9 ** net.taken;
    for (let i = 0; i < net.weights.length; i++) {
      const g = net.grads[i];
      net.first[i] = 0.5 * net.first[i] + 0.5 * g;
      net.second[i] = 0.9 * net.second[i] + 0.1 * g * g;
      net.weights[i] -= (rate * (net.first[i] / one)) / (Math.sqrt(net.second[i] / two) + 1e-8);
      net.grads[i] = 0;
    }
  }

  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const codes = (game, n) => Float64Array.from({ length: n * CODE }, () => game.random.normal());
  const wide = (spread) => Math.sqrt(spread * spread + SMOOTH * SMOOTH);
  const reach = (spread) => Math.floor(10 * Math.min(5, 6 - 2.5 * wide(spread))) / 10; // where a hill still lies on GRID
  const bell = (x, mean, spread) => Math.exp(-((x - mean) ** 2) / 2 / spread ** 2) / spread / Math.sqrt(2 * Math.PI);

  function start(seed, real) {
    const random = chance(seed);
    const made = { seed, real, random, steps: 0, dSteps: 0, gSteps: 0, moved: "", equal: false };
    made.g = network([CODE, 24, 24, 1], "tanh", random);
    made.d = network([1, 32, 32, 1], "leaky", random);
    made.look = Float64Array.from({ length: DRAWN * CODE }, () => random.normal()); // what the drawn curve is made of
    return made;
  }

  const drawReal = (game, n) =>
    Float64Array.from({ length: n }, () => {
      const { mean, spread } = game.real[game.random.uniform() < 0.5 ? 0 : 1];
      return mean + wide(spread) * game.random.normal();
    });

  // What G makes, blurred like the real data, so that D plays on the very densities that are drawn.
  const drawMade = (game, z, n) => forward(game.g, z, n).map((x) => x + SMOOTH * game.random.normal());

  // V = E log D(x) + E log(1 - D(G(z))) of a batch. D climbs it.
  function stepD(game, rate) {
    const real = drawReal(game, BATCH), made = game.equal ? drawReal(game, BATCH) : drawMade(game, codes(game, BATCH), BATCH);
    slopesD(game.d, real, made);
    descend(game.d, rate);
    game.dSteps++;
    game.moved = "d";
  }

  // The slopes of -V for D at these points, put into d.grads; returns V.
  function slopesD(d, real, made) {
    const n = real.length, both = new Float64Array(2 * n);
    both.set(real);
    both.set(made, n);
    const logits = forward(d, both, 2 * n);
    let value = 0;
    const slopes = logits.map((logit, i) => {
      const p = sigmoid(logit);
      value += Math.log(Math.max(TINY, i < n ? p : 1 - p)) / n;
      return (i < n ? p - 1 : p) / n;
    });
    backward(d, slopes, 2 * n);
    return value;
  }

  // G descends V itself ("minmax"), or climbs E log D(G(z)) instead.
  function stepG(game, rate, loss) {
    const blur = Float64Array.from({ length: BATCH }, () => SMOOTH * game.random.normal());
    slopesG(game.g, game.d, codes(game, BATCH), blur, loss);
    descend(game.g, rate);
    game.gSteps++;
    game.moved = "g";
  }

  // The slopes of G's loss for G at the codes z, put into g.grads; returns the loss.
  function slopesG(g, d, z, blur, loss) {
    const n = blur.length, made = forward(g, z, n).map((x, i) => x + blur[i]), logits = forward(d, made, n);
    let value = 0;
    const slopes = logits.map((logit) => {
      const p = sigmoid(logit);
      value += (loss === "minmax" ? Math.log(Math.max(TINY, 1 - p)) : -Math.log(Math.max(TINY, p))) / n;
      return (loss === "minmax" ? -p : p - 1) / n;
    });
    backward(g, backward(d, slopes, n), n);
    d.grads.fill(0); // D does not move
    return value;
  }

  function round(game, rules) {
    for (let i = 0; i < rules.perG; i++) stepD(game, rules.rateD);
    stepG(game, rules.rateG, rules.loss);
    game.steps++;
  }

  // Whether there are numbers to draw, and G is not far away from everything.
  function sound(game) {
    if (![game.g, game.d].every((net) => net.weights.every(Number.isFinite))) return false;
    const seen = curves(game);
    return seen.out < FAR && Object.values(worth(seen)).every(Number.isFinite);
  }

  // Both densities on GRID, smoothed alike, and D there.
  function curves(game) {
    const p = GRID.map((x) => game.real.reduce((sum, { mean, spread }) => sum + bell(x, mean, wide(spread)) / 2, 0));
    const made = forward(game.g, game.look, DRAWN);
    let q = new Array(GRID.length).fill(0), out = 0;
    for (const x of made) {
      if (x < -6 || x > 6) out++;
      const middle = (x + 6) / STEP;
      for (let i = Math.max(0, Math.ceil(middle - 12)); i <= Math.min(GRID.length - 1, middle + 12); i++) q[i] += bell(GRID[i], x, SMOOTH) / DRAWN;
    }
    if (game.equal) [q, out] = [p.slice(), 0];
    const judged = Array.from(forward(game.d, Float64Array.from(GRID), GRID.length), sigmoid);
    return { p, q, d: judged, best: p.map((a, i) => (a + q[i] > 1e-6 ? a / (a + q[i]) : null)), out: out / DRAWN };
  }

  // V on the grid with its two terms, its top for this G (2 JS - log 4), and the divergences, in nats.
  function worth({ p, q, d }) {
    const log = (a) => Math.log(Math.max(TINY, a));
    let real = 0, made = 0, klP = 0, klQ = 0, gap = 0;
    for (let i = 0; i < p.length; i++) {
      const mean = (p[i] + q[i]) / 2;
      real += p[i] * log(d[i]) * STEP;
      made += q[i] * log(1 - d[i]) * STEP;
      if (p[i] > TINY) klP += p[i] * (log(p[i]) - log(mean)) * STEP;
      if (q[i] > TINY) klQ += q[i] * (log(q[i]) - log(mean)) * STEP;
      if (mean > 1e-6) gap += Math.abs(d[i] - p[i] / (p[i] + q[i])) * mean * STEP;
    }
    const js = (klP + klQ) / 2;
    return { value: real + made, real, made, top: 2 * js - Math.log(4), js, klP, klQ, gap };
  }

  // The share of the real data where G makes less than a tenth of what it should: mode collapse, in a number.
  const missed = ({ p, q }) => p.reduce((sum, a, i) => sum + (q[i] < a / 10 ? a * STEP : 0), 0);

  return { GRID, STEP, reach, start, stepD, stepG, round, sound, curves, worth, missed, network, forward, backward, slopesD, slopesG, chance };
})();
