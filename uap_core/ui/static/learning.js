// The room "From learning to attacking": what a visitor clicks there, and what is drawn. The arithmetic is learning_net.js.
window.uapLearning = (() => {
  const N = window.uapNet, T = window.uapTexts.learning;
  const LEFT = -1.75, RIGHT = 2.75, LOW = -1.25, HIGH = 1.75, CELLS = 72, ROWS = 48;
  const FIRST = { hidden: 16, activation: 'relu', rate: 0.2 }, WARM = 300, NEAR = 0.9, MOST = 64;
  let root, points, net, state, seed = 1, weight = null;

  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const value = (name) => root.querySelector(`[name="learning-${name}"]`).value;
  const fill = (text, named) => text.replace(/\{(\w+)\}/g, (_, key) => named[key]);
  const signed = (number) => (number < 0 ? '−' : '') + Math.abs(number).toPrecision(5);

  function begin(element) {
    root = element.querySelector('.learning');
    points = N.moons(120, 7);
    state = { said: '' };
    fresh(FIRST.hidden, FIRST.activation);
    learn(WARM, FIRST.rate);
    const sure = ({ x, y }) => N.forward(net, x).p[y];
    const first = points.filter((point) => sure(point) > NEAR).reduce((a, b) => (sure(b) < sure(a) ? b : a)); // near the boundary
    choose(first.x, first.y);
    root.addEventListener('click', pressed);
    root.addEventListener('change', changed);
    root.addEventListener('input', (event) => { if (event.target.name === 'learning-radius') draw(); });
    const canvas = part('field');
    canvas.addEventListener('click', (event) => { // a swipe over it moves the page alone
      const box = canvas.getBoundingClientRect();
      pick(LEFT + ((event.clientX - box.left) / box.width) * (RIGHT - LEFT), HIGH - ((event.clientY - box.top) / box.height) * (HIGH - LOW));
    });
    canvas.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
      if (!step) return;
      event.preventDefault();
      pick(state.start[0] + step[0], state.start[1] + step[1]);
    });
    new MutationObserver(draw).observe(document.body, { attributes: true, attributeFilter: ['class'] });
    draw();
  }

  function fresh(hidden, activation) {
    net = N.begin(hidden, activation, seed);
    weight = null;
  }

  function choose(x, y) {
    Object.assign(state, { start: [...x], x: [...x], y, path: [[...x]] });
  }

  // A place in the field: its right answer is that of the nearest point.
  function pick(across, up) {
    const x = [Math.min(RIGHT, Math.max(LEFT, across)), Math.min(HIGH, Math.max(LOW, up))];
    const near = points.reduce((best, point) => {
      const far = Math.hypot(point.x[0] - x[0], point.x[1] - x[1]);
      return far < best.far ? { far, point } : best;
    }, { far: Infinity }).point;
    choose(x, near.y);
    draw();
  }

  // --- the two steps ----------------------------------------------------------------------------------------------------
  function learn(steps, rate) {
    const before = net;
    for (let i = 0; i < steps; i++) {
      const next = N.learn(net, points, rate);
      if (!N.isSound(next, points)) {
        state.said = fill(T.diverged, { rate, steps: i + 1 });
        net = before;
        return;
      }
      net = next;
    }
  }

  function attack(steps, rate) {
    const ball = value('ball'), radius = Number(value('radius'));
    if (N.forward(net, state.start).p[state.y] <= 0.5) { state.said = T.wrongAlready; return; }
    for (let i = 0; i < steps; i++) {
      const x = N.attack(net, state.x, state.y, rate, state.start, ball, radius);
      if (!(x[0] >= LEFT && x[0] <= RIGHT && x[1] >= LOW && x[1] <= HIGH)) { state.said = T.away; return; }
      const held = N.forward(net, state.x).p[state.y] > 0.5;
      state.x = x;
      state.path.push([...x]);
      if (held && N.forward(net, x).p[state.y] <= 0.5) return; // fooled: what comes next is asked for anew
    }
  }

  function pressed(event) {
    const button = event.target.closest('button');
    if (!button) return;
    const [action, count] = (button.dataset.do ?? '').split(' '), begun = performance.now();
    state.said = '';
    if (button.dataset.weight) weight = JSON.parse(button.dataset.weight);
    const rate = Number(value('rate'));
    if (action === 'learn' || action === 'attack') {
      if (!(rate > 0 && Number.isFinite(rate))) state.said = T.badRate;
      else if (action === 'learn') learn(Number(count), rate);
      else attack(Number(count), rate);
    }
    if (action === 'back') choose(state.start, state.y);
    if (action === 'again') { seed += 1; renew(true); }
    draw();
    root.dataset.ms = (performance.now() - begun).toFixed(1);
  }

  function changed(event) {
    state.said = '';
    if (['learning-hidden', 'learning-activation'].includes(event.target.name)) renew(false);
    draw();
  }

  function renew(again) {
    const hidden = Number(value('hidden'));
    if (!Number.isInteger(hidden) || hidden < 1 || hidden > MOST) state.said = fill(T.badHidden, { most: MOST });
    else if (again || hidden !== net.W1.length || value('activation') !== net.activation) {
      fresh(hidden, value('activation'));
      choose(state.start, state.y);
    }
  }

  // --- what is shown ----------------------------------------------------------------------------------------------------
  function draw() {
    if (!root.isConnected) return;
    window.uapLearningField(part('field'), {
      net, points, ...state, left: LEFT, right: RIGHT, low: LOW, high: HIGH, cells: CELLS, rows: ROWS,
      arrows: root.querySelector('[name="learning-arrows"]').checked, ball: value('ball'), radius: Number(value('radius')),
    });
    const p = N.forward(net, state.x).p, J = N.meanLoss(net, points), own = N.pointLoss(net, state.x, state.y);
    const bar = (name, loss) => { part(name).style.width = `${Math.min(100, 25 * loss)}%`; };
    bar('mean-bar', J);
    bar('own-bar', own);
    part('mean').textContent = fill(T.mean, { J: J.toFixed(3), right: Math.round(100 * N.rightShare(net, points)) });
    const names = [T.blue, T.orange], seen = p[1] > 0.5 ? 1 : 0;
    part('own').textContent = fill(T.own, { J: own.toFixed(3), p: (100 * p[state.y]).toFixed(p[state.y] < 0.01 ? 2 : 0), name: names[state.y] });
    part('radius').textContent = Number(value('radius')).toFixed(2);
    const moved = state.x.map((place, i) => place - state.start[i]);
    const lengths = { l2: Math.hypot(...moved).toFixed(2), linf: Math.max(...moved.map(Math.abs)).toFixed(2), name: names[seen], was: names[state.y], steps: state.path.length - 1 };
    const still = state.path.length === 1;
    const says = seen === state.y ? (still ? T.right : T.holds) : still ? T.misread : T.fooled;
    part('verdict').textContent = fill(says, lengths);
    part('verdict').classList.toggle('fooled', seen !== state.y);
    part('said').textContent = state.said;
    part('said').hidden = !state.said;
    table();
  }

  function table() {
    const g = N.meanGradient(net, points);
    const lines = [
      [T.fromAcross, net.W1.map((row, j) => ['W1', j, 0, row[0]])], [T.fromUp, net.W1.map((row, j) => ['W1', j, 1, row[1]])],
      [T.bias, net.b1.map((b, j) => ['b1', j, null, b])],
      [T.toBlue, net.W2[0].map((w, j) => ['W2', 0, j, w])], [T.toOrange, net.W2[1].map((w, j) => ['W2', 1, j, w])],
    ];
    const cell = ([name, i, j, w]) => {
      const id = JSON.stringify([name, i, j]), share = Math.round(Math.min(1, Math.abs(w) / 2.5) * 80);
      const colour = w < 0 ? 'var(--before)' : 'var(--after)', on = weight && JSON.stringify(weight) === id;
      const label = fill(T.weight, { name: symbol(name, i, j), value: signed(w) });
      return `<td><button type="button" data-weight='${id}' aria-pressed="${Boolean(on)}" aria-label="${label}" title="${label}" ` +
        `style="background:color-mix(in srgb,${colour} ${share}%,var(--body-background-fill))"></button></td>`;
    };
    const focused = document.activeElement?.dataset?.weight;
    part('weights').innerHTML = lines.map(([name, cells]) => `<tr><th scope="row">${name}</th>${cells.map(cell).join('')}</tr>`).join('');
    if (focused && root.contains(part('weights'))) root.querySelector(`[data-weight='${focused}']`)?.focus();
    if (!weight || (weight[2] === null ? net[weight[0]][weight[1]] : net[weight[0]][weight[1]]?.[weight[2]]) === undefined) {
      part('derivative').textContent = T.click;
      return;
    }
    const [name, i, j] = weight, w = j === null ? net[name][i] : net[name][i][j];
    const by = j === null ? g[name][i] : g[name][i][j];
    const found = { name: symbol(name, i, j), w: signed(w), by: signed(by), differ: signed(N.finiteDifference(net, points, name, i, j)) };
    part('derivative').textContent = fill(T.derivative, found) + ' ' + (Math.abs(by) < 1e-12 ? T.flat : by > 0 ? T.down : T.up);
  }

  const symbol = (name, i, j) => (j === null ? `${name}[${i + 1}]` : `${name}[${i + 1},${j + 1}]`);

  return { begin };
})();
