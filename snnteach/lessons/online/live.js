// Notebook 16: a synapse's eligibility and learning signal, beside the exact gradient. The model, then the picture.

const dot = (a, b) => sum(a.map((one, at) => one * b[at]));

// Run the network on x [T][I]: what arrives at each step, x and the spikes before, and what becomes of it.
export function run({W, V, out, target}, x, {beta, beta_out, gain}) {
  const joint = W.map((row, neuron) => [...row, ...V[neuron].map(weight => gain * weight)]), steps = [];
  let mem = W.map(() => 0), spk = mem, read = 0;
  x.forEach((now, t) => {
    const source = [...now, ...spk];
    mem = mem.map((before, neuron) => beta * before + dot(joint[neuron], source) - spk[neuron]);
    spk = mem.map(potential => potential > 1 ? 1 : 0);
    read = beta_out * read + dot(out, spk);
    steps.push({source, mem, spk, slope: mem.map(u => 1 / (1 + (Math.PI * (u - 1)) ** 2)), error: read - target[t]});
  });
  return steps;
}

// The exact gradient [H][I+H], by backpropagation through time: it walks back through all steps.
export function backward(steps, {V, out}, {beta, beta_out, gain}) {
  const total = out.map(() => steps[0].source.map(() => 0));
  let read = 0, later = out.map(() => 0);
  for (const {source, slope, error} of [...steps].reverse()) {
    read = error + beta_out * read;
    const spike = out.map((weight, neuron) => weight * read + gain * sum(V.map((row, to) => row[neuron] * later[to])));
    later = later.map((after, neuron) => slope[neuron] * spike[neuron] + beta * after);
    total.forEach((row, neuron) => source.forEach((one, at) => { row[at] += later[neuron] * one; }));
  }
  return total;
}

// e-prop goes forward: at each step traces, eligibilities, and the error sent back to each neuron.
export function eprop(steps, back, {beta, beta_out}) {
  let trace = steps[0].source.map(() => 0), tag = back.map(() => trace);
  return steps.map(({source, slope, error}) => {
    trace = trace.map((before, at) => beta * before + source[at]);
    tag = tag.map((row, neuron) => row.map((before, at) => beta_out * before + slope[neuron] * trace[at]));
    return {trace, tag, signal: back.map(weight => weight * error)};
  });
}

// What each step's error says of one weight by all paths: its influence, pushed forward.
export function pushed(steps, {V, out}, {beta, beta_out, gain}, neuron, source) {
  let influence = out.map(() => 0), slopes = influence, read = 0;
  return steps.map(step => {
    const moved = influence.map((one, at) => slopes[at] * one);
    influence = influence.map((one, at) => beta * one + gain * dot(V[at], moved) + (at == neuron ? step.source[source] : 0));
    slopes = step.slope;
    read = beta_out * read + dot(out, influence.map((one, at) => slopes[at] * one));
    return step.error * read;
  });
}

export function model(values, data, x = data.x) {
  const {neuron, source, feedback} = values, steps = run(data, x, values);
  const forward = eprop(steps, feedback == "symmetric" ? data.out : data.random, values);
  const exact = backward(steps, data, values), weights = exact.flat();
  const sums = exact.flatMap((row, to) => row.map((_, from) => sum(forward.map(step => step.signal[to] * step.tag[to][from]))));
  const length = numbers => Math.sqrt(dot(numbers, numbers));
  const signal = forward.map(step => step.signal[neuron]), tag = forward.map(step => step.tag[neuron][source]);
  return {steps, weights, sums, signal, tag, trace: forward.map(step => step.trace[source]),
    mem: steps.map(step => step.mem[neuron]), product: tag.map((one, t) => one * signal[t]),
    place: neuron * exact[0].length + source, exact: pushed(steps, data, values, neuron, source),
    ratio: length(weights) / length(sums), cosine: dot(weights, sums) / length(weights) / length(sums)};
}

const ROW = 4.35, EDGE = 0.4;
const short = value => String(Number(value.toPrecision(2))).replace(/-/g, "−");
const running = numbers => { let total = 0; return numbers.map(number => total += number); };

export function figure(stage) {
  const {values, data} = stage, T = data.x.length, inputs = data.W[0].length, lines = inputs + data.W.length;
  const copy = () => data.x.map(row => [...row]);
  let x = copy(), found, gap, held = null, moved;
  const mine = () => values.source < inputs;
  const from = () => mine() ? `input ${values.source}` : `neuron ${values.source - inputs}`;
  const step = stage.slider("step", {label: "now", unit: "step", low: 0, high: T - 1, step: 1, start: T - 1});
  const play = stage.player(step, 120), neuron = stage.control("neuron"), source = stage.slider("source",
    {...data.controls.source, unit: "", said: from});
  stage.row(stage.control("beta"), stage.control("beta_out"));
  stage.row(stage.control("gain"), stage.control("feedback"));
  stage.row(source, neuron);
  const boxes = ["3 1 24em", "2 1 18em"].map(flex => made("div", {style: `flex: ${flex}; min-width: 0`}));
  stage.row(...boxes).style.alignItems = "flex-start";
  const keys = " Arrows move time; space puts or takes a spike of the input.";
  const time = stage.picture(6 * ROW + 1.5, data.alt + keys, drawTime, boxes[0]);
  const cloud = stage.picture(27, "All weights: e-prop against the exact gradient.", drawCloud, boxes[1]);
  stage.row(play, step, stage.button("input as it was", () => { x = copy(); stage.changed(); }));
  Object.assign(time, {role: "application", tabIndex: 0});
  time.style.cursor = cloud.style.cursor = "pointer";

  const look = t => { play.stop(); step.set(Math.max(0, Math.min(T - 1, t))); };
  const put = (t, spike) => { x[t][values.source] = spike; stage.changed(); };
  for (const kind of ["pointerdown", "pointermove", "pointerup"]) stage.listen(time, kind, event => {
    const [across, y] = stage.place(time, event), t = Math.max(0, Math.min(T - 1, Math.floor((across - EDGE) / gap)));
    if (kind == "pointerdown" && y < ROW && mine()) {
      held = [t, t - 1, t + 1].find(at => x[at]?.[values.source]) ?? t;
      moved = !x[held][values.source];                    // an old spike goes, unless it is moved
      put(held, 1);
    } else if (kind == "pointerup") {
      if (held != null && !moved) put(held, 0);
      held = null;
    } else if (event.buttons && held == null) look(t);
    else if (held != null && t != held && !x[t][values.source]) {
      put(held, 0);
      put(held = t, moved = 1);
    }
    if (event.buttons) time.setPointerCapture(event.pointerId);
  });
  stage.listen(time, "pointercancel", () => held = null);
  stage.listen(time, "keydown", event => {
    const move = {ArrowLeft: -1, ArrowRight: 1, " ": 0}[event.key];
    if (move == null) return;
    event.preventDefault();
    move ? look(values.step + move) : mine() && put(values.step, 1 - x[values.step][values.source]);
  });
  for (const kind of ["pointerdown", "pointermove"]) stage.listen(cloud, kind, event => {
    if (!event.buttons) return;
    const [at, y] = stage.place(cloud, event), far = found.dots.map(([a, b]) => (a - at) ** 2 + (b - y) ** 2);
    const nearest = far.indexOf(Math.min(...far));
    neuron.set(Math.floor(nearest / lines));
    source.set(nearest % lines);
  });

  stage.update = () => {
    found = model(values, data, x);
    const {sums, weights, place, cosine} = found;
    stage.say(`From ${from()} to neuron ${values.neuron}: e-prop ${short(sums[place])}, exact gradient ` +
      `${short(weights[place])}. All weights: cosine ${cosine.toFixed(2)}.`);
  };

  function drawTime(pen, width) {
    const {ink, grey, faint, black, sky, blue, orange, vermillion, purple} = stage.colours, now = values.step;
    const {steps, trace, mem, tag, signal, product, exact} = found, sums = [product, exact].map(running);
    const said = numbers => short(numbers[now]), ends = numbers => [Math.min(0, ...numbers), Math.max(0, ...numbers)];
    gap = (width - 2 * EDGE) / T;
    const across = t => EDGE + (t + 0.5) * gap, spikes = steps.map(({source}) => source[values.source]);
    const row = (place, name, colour, number, low, high) => {
      const y = place * ROW, level = value => y + 4.1 - 2.7 * (value - low) / (high - low || 1);
      write(pen, name, EDGE, y + 1, colour, {weight: "bold"});
      write(pen, number, width - EDGE, y + 1, ink, {align: "right"});
      line(pen, [[EDGE, level(0)], [width - EDGE, level(0)]], faint, {width: 0.06});
      line(pen, [[across(now), y + 1.4], [across(now), y + 4.2]], orange, {width: 0.12});
      return level;
    };
    const bars = (level, numbers, colour) => numbers.forEach((number, t) => {
      pen.globalAlpha = t > now ? 0.25 : 1;
      if (number) line(pen, [[across(t), level(0)], [across(t), level(number)]], colour, {width: 0.75 * gap});
      pen.globalAlpha = 1;
    });
    const curve = (level, numbers, colour, width) =>
      line(pen, numbers.slice(0, now + 1).map((number, t) => [across(t), level(number)]), colour, {width});

    const hint = mine() && width > 30 ? " (drag them, add some)" : "", top = 1.25 * Math.max(1, ...trace);
    let level = row(0, `${from()}: its spikes leave a trace${hint}`, grey, said(trace), 0, top);
    bars(level, trace, sky);
    spikes.forEach((fired, t) => fired && line(pen, [[across(t), 1.5], [across(t), 2.6]], black, {width: 0.3}));
    level = row(1, `neuron ${values.neuron}: potential U, shaded by h`, grey, said(mem), ...ends([1.3, ...mem]));
    steps.forEach(({slope}, t) => {
      pen.globalAlpha = (t > now ? 0.3 : 0.9) * slope[values.neuron];
      line(pen, [[across(t), ROW + 1.5], [across(t), ROW + 4.1]], purple, {width: gap});
      pen.globalAlpha = 1;
    });
    line(pen, [[EDGE, level(1)], [width - EDGE, level(1)]], grey, {width: 0.07, dash: [0.4, 0.3]});
    curve(level, mem, ink, 0.14);
    bars(row(2, "eligibility: trace × h, fading", blue, said(tag), ...ends(tag)), tag, blue);
    bars(row(3, "learning signal: error sent back", orange, said(signal), ...ends(signal)), signal, orange);
    level = row(4, "product; thin, by all paths", vermillion, said(product), ...ends([...product, ...exact]));
    bars(level, product, vermillion);
    curve(level, exact, black, 0.16);
    level = row(5, "sum; thin, the exact gradient", vermillion, sums.map(said).join(", "), ...ends(sums.flat()));
    curve(level, sums[0], vermillion, 0.5);
    curve(level, sums[1], black, 0.16);
    for (let t = 0; t < T; t += 10) write(pen, t, across(t), 6 * ROW + 1.2, grey, {align: "center"});
    write(pen, `step ${T - 1}`, width - EDGE, 6 * ROW + 1.2, grey, {align: "right"});
  }

  function drawCloud(pen, width) {
    const {ink, grey, faint, blue, green, orange} = stage.colours, {weights, sums, place} = found;
    const [a, b] = [weights, sums].map(numbers => Math.max(...numbers.map(Math.abs)) || 1);
    const size = Math.min(width - 1, 18.4) / 2, x = 0.4 + size, y = 3.2 + size, under = y + size + 1.3;
    write(pen, `all ${weights.length} weights: cosine ${found.cosine.toFixed(2)}`, 0.4, 1, ink, {weight: "bold"});
    write(pen, `exact ${short(found.ratio)} × as long`, 0.4, 2.5, ink);
    Object.assign(pen, {strokeStyle: faint, lineWidth: 0.08, lineCap: "round"});
    pen.strokeRect(x - size, y - size, 2 * size, 2 * size);
    line(pen, [[x - size, y + size], [x + size, y - size]], grey, {width: 0.07, dash: [0.4, 0.3]});
    found.dots = weights.map((one, at) => [x + 0.94 * size * one / a, y - 0.94 * size * sums[at] / b]);
    const spot = ([x, y], colour, width) => line(pen, [[x, y], [x + 0.01, y]], colour, {width});
    found.dots.forEach((at, one) => spot(at, ...one % lines < inputs ? [blue, 0.55] : [green, 0.4]));
    spot(found.dots[place], ink, 1.15);
    spot(found.dots[place], orange, 0.85);
    write(pen, "↑ e-prop", 0.8, 4.4, grey);
    write(pen, "exact →", x + size - 0.4, y + size - 0.4, grey, {align: "right"});
    write(pen, "• V", 0.4 + write(pen, "● W  ", 0.4, under, blue), under, green);
    write(pen, `${from()} → neuron ${values.neuron}`, 0.4, under + 1.8, ink, {weight: "bold"});
    write(pen, `e-prop ${short(sums[place])}, exact ${short(weights[place])}`, 0.4, under + 3.3, ink);
  }
}
