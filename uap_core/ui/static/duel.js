// The room of two networks: what the page shows of duel_core.js, and its controls. uapDuelRoom(element) is called by the page
// when the room appears (uap_core/ui/tabs/games/duel.py).
globalThis.uapDuelRoom = (root) => {
  const D = globalThis.uapDuel, T = JSON.parse(root.dataset.texts), KEPT = 600, FRAME = 24;
  const pick = (name) => root.querySelector(`[data-duel="${name}"]`);
  const all = (name) => root.querySelectorAll(`[data-duel="${name}"]`);
  const rules = { perG: 2, rateD: 2e-3, rateG: 1e-3, loss: "minmax" };
  const real = [{ mean: -2, spread: 0.5 }, { mean: 1.5, spread: 0.7 }];
  let game, history, at = 0.3, playing = "", seed = 0, said = "", asked = 0, aloud = { kind: "", when: 0 };

  // --- what is drawn --------------------------------------------------------------------------------------------------------
  const X = (x) => ((x + 6) / 12) * 720, Y = (value, top) => 250 - (value / top) * 230;
  const line = (values, x, y) => {
    let path = "", pen = "M";
    values.forEach((value, i) => {
      if (value === null || !Number.isFinite(value)) { pen = "M"; return; }
      path += `${pen}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
    });
    return path;
  };
  const put = (name, path) => pick(name).setAttribute("d", path);
  const number = (value) => (Object.is(Math.round(value * 1000), -0) ? 0 : value).toFixed(3);

  function draw() {
    const seen = D.curves(game), told = D.worth(seen);
    const top = Math.min(1.6, Math.max(0.6, 1.1 * Math.max(...seen.p, ...seen.q)));
    const x = (i) => X(D.GRID[i]), area = (path) => `${path}L720 250L0 250Z`;
    put("p", area(line(seen.p, x, (v) => Y(v, top))));
    put("q", area(line(seen.q.map((v) => Math.min(v, top)), x, (v) => Y(v, top))));
    put("d", line(seen.d, x, (v) => Y(v, 1)));
    put("best", line(seen.best, x, (v) => Y(v, 1)));
    const index = Math.round((at + 6) / D.STEP);
    put("at", `M${X(at)} 20V250`);
    pick("at").setAttribute("aria-valuenow", at.toFixed(1));
    all("hill").forEach((handle, i) => {
      handle.setAttribute("cx", X(real[i].mean));
      const far = D.reach(real[i].spread).toFixed(1);
      handle.setAttribute("aria-valuemin", `-${far}`);
      handle.setAttribute("aria-valuemax", far);
      handle.setAttribute("aria-valuenow", real[i].mean.toFixed(1));
    });
    tangent(seen.p[index], seen.q[index], seen.d[index]);
    track(told);
    numbers(told, seen);
    root.dataset.moved = playing === "both" ? "dg"[Math.floor(performance.now() / 400) % 2] : game.moved; // both in turn
    root.dataset.playing = playing;
  }

  // a -> p log a + q log(1 - a) at the x that is picked: its top is at p / (p + q).
  function tangent(p, q, now) {
    const steps = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);
    const f = (a) => p * Math.log(a) + q * Math.log(1 - a);
    const values = steps.map(f), high = Math.max(...values), low = Math.min(high - 1e-6, Math.max(Math.min(...values), high - 1.2));
    const x = (a) => 12 + a * 276, y = (v) => 14 + ((high - Math.max(v, low)) / (high - low)) * 116;
    put("f", line(values, (i) => x(steps[i]), y));
    const best = p / (p + q), dot = (name, a) => {
      const inside = Math.min(0.995, Math.max(0.005, a));
      pick(name).setAttribute("cx", x(inside));
      pick(name).setAttribute("cy", y(f(inside)));
    };
    const known = p + q > 1e-6;
    pick("f-best").style.display = known ? "" : "none";
    if (known) dot("f-best", best);
    dot("f-now", now);
    pick("f-said").textContent = (known ? T.tangent : T.nothing)
      .replace("{x}", at.toFixed(1)).replace("{p}", p.toFixed(2)).replace("{q}", q.toFixed(2))
      .replace("{best}", best.toFixed(2)).replace("{now}", now.toFixed(2));
  }

  // V and its dashed top over time, -log 4 below.
  function track(told) {
    const floor = -Math.log(4), y = (v) => 120 - ((Math.min(0.1, Math.max(-2, v)) + 2) / 2.1) * 110;
    const step = 288 / Math.max(60, history.length - 1), x = (i) => 6 + i * step;
    put("v", line(history.map((h) => h.value), x, y));
    put("top", line(history.map((h) => h.top), x, y));
    put("floor", `M6 ${y(floor)}H294`);
    pick("js-bar").style.width = `${(100 * told.js) / Math.log(2)}%`;
  }

  function numbers(now, seen) {
    const values = { scoreReal: now.real, scoreMade: now.made, value: now.value, topNumber: now.top, js: now.js, klP: now.klP, klQ: now.klQ };
    for (const [name, value] of Object.entries(values)) pick(name).textContent = number(value);
    pick("steps").textContent = T.steps.replace("{d}", game.dSteps).replace("{g}", game.gSteps);
    const missed = D.missed(seen);
    const kind = said || verdict(now, missed);
    const text = T[kind].replace("{missed}", String(Math.round(100 * missed))).replace("{gap}", now.gap.toFixed(2));
    // Read aloud, it changes with what it says, and its figures every other second.
    if (kind !== aloud.kind || !playing || performance.now() - aloud.when > 2000) {
      if (pick("said").textContent !== text) pick("said").textContent = text;
      aloud = { kind, when: performance.now() };
    }
    root.dataset.state = kind;
  }

  function verdict(told, missed) {
    if (game.equal) return "equal";
    if (!game.dSteps) return "begin";
    if (told.js < 0.03) return "won";
    if (game.dSteps > 20 && !game.gSteps && told.gap < 0.02) return "best";
    if (game.gSteps >= 200 && missed > 0.25) return "collapse";
    return "under";
  }

  // --- what happens ---------------------------------------------------------------------------------------------------------
  function begin(equal = false) {
    game = D.start(seed, real);
    game.equal = equal;
    history = [D.worth(D.curves(game))];
    draw();
  }

  // Rates too high leave no numbers: the game says so and begins again, and nothing of it is drawn.
  function step(what) {
    if (what === "d") D.stepD(game, rules.rateD);
    else if (what === "g") D.stepG(game, rules.rateG, rules.loss);
    else D.round(game, rules);
    if (D.sound(game)) return remember(D.worth(D.curves(game)));
    stop();
    said = "diverged";
    begin();
    return false;
  }

  function remember(told) {
    history.push(told);
    if (history.length > KEPT) history.shift();
    return true;
  }

  function frame() {
    if (!playing) return;
    if (!root.isConnected) return stop();
    const until = performance.now() + FRAME;
    if (root.offsetParent) { do { if (!step(playing)) return; } while (performance.now() < until); draw(); }
    asked = requestAnimationFrame(frame);
  }

  function play(what) {
    const again = playing === what;
    stop();
    if (again) return;
    playing = game.equal && what === "both" ? "d" : what;
    said = "";
    mark();
    asked = requestAnimationFrame(frame);
  }

  function stop() { cancelAnimationFrame(asked); playing = ""; mark(); }

  function mark() {
    root.dataset.playing = playing;
    for (const [name, what] of [["play", "both"], ["alone", "d"]]) {
      const on = playing === what;
      pick(name).setAttribute("aria-pressed", String(on));
      pick(name).textContent = on ? T.pause : T[name];
    }
  }

  const PRESETS = {
    fair: { perG: 2, rateD: 2e-3, rateG: 1e-3, loss: "minmax" },
    collapse: { perG: 1, rateD: 2e-3, rateG: 1e-2, loss: "other" },
    equal: { perG: 2, rateD: 2e-3, rateG: 1e-3, loss: "minmax" },
  };

  function choose(name) {
    stop();
    said = "";
    Object.assign(rules, PRESETS[name]);
    show();
    begin(name === "equal");
    play(name === "equal" ? "d" : "both");
  }

  function show() {
    pick("perG").value = String(rules.perG);
    pick("loss").value = rules.loss;
    for (const name of ["rateD", "rateG"]) pick(name).value = String(Math.log10(rules[name])), label(name);
    real.forEach((hill, i) => { all("width")[i].value = String(hill.spread); widthSaid(i); });
  }

  const widthSaid = (i) => { all("width-now")[i].textContent = real[i].spread.toFixed(1); };

  const label = (name) => { pick(`${name}-now`).textContent = rules[name] >= 0.001 ? String(+rules[name].toPrecision(2)) : rules[name].toExponential(0); };

  // --- controls -------------------------------------------------------------------------------------------------------------
  root.addEventListener("click", (event) => {
    const name = event.target.closest("[data-duel]")?.dataset.duel, preset = event.target.closest("[data-preset]")?.dataset.preset;
    if (preset) return choose(preset);
    if (name === "play") play("both");
    if (name === "alone") play("d");
    if (name === "one-d" || name === "one-g") {
      stop();
      if (name === "one-g" && game.equal) return;
      said = "";
      if (step(name.at(-1))) draw();
    }
    if (name === "again") { stop(); said = ""; seed++; begin(game.equal); }
  });
  root.addEventListener("input", (event) => {
    const name = event.target.dataset?.duel;
    if (name === "perG") rules.perG = Math.min(10, Math.max(1, Number(event.target.value) || 1));
    if (name === "loss") rules.loss = event.target.value;
    if (name === "rateD" || name === "rateG") { rules[name] = 10 ** Number(event.target.value); label(name); }
    if (name === "width") widen([...all("width")].indexOf(event.target), Number(event.target.value));
  });

  // Hills and the picked x are dragged, or moved with the arrow keys.
  const chart = pick("chart");
  let dragged = -2;
  const within = (x, far) => Math.min(far, Math.max(-far, x));
  const where = (event) => {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse());
    return within(Math.round(((place.x / 720) * 12 - 6) * 10) / 10, 5);
  };
  const move = (which, x) => {
    if (which < 0) at = x;
    else real[which].mean = within(x, D.reach(real[which].spread));
    draw();
  };
  // A wider hill moves inwards as far as it must to stay on the axis: V and JS are sums over what is drawn.
  function widen(which, spread) {
    real[which].spread = spread;
    widthSaid(which);
    move(which, real[which].mean);
  }
  chart.addEventListener("pointerdown", (event) => {
    const hill = [...all("hill")].indexOf(event.target);
    dragged = hill;
    chart.setPointerCapture(event.pointerId);
    move(dragged, where(event));
    event.preventDefault();
  });
  chart.addEventListener("pointermove", (event) => { if (dragged > -2) move(dragged, where(event)); });
  for (const end of ["pointerup", "pointercancel"]) chart.addEventListener(end, () => { dragged = -2; });
  [pick("at"), ...all("hill")].forEach((handle, i) => handle.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -0.1, ArrowRight: 0.1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    if (i) move(i - 1, real[i - 1].mean + by);
    else move(-1, within(Math.round((at + by) * 10) / 10, 5));
  }));

  show();
  begin();
  mark();
};
