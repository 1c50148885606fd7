// Notebook 02: one leaky integrate-and-fire neuron under five resets, and where its input went. The model, then the picture.

// The next potential, from that of the step before, its spike, the input and the decay; the threshold is 1.
export const RESETS = {
  "none": (mem, spk, x, beta) => beta * mem + x,
  "subtract_decayed": (mem, spk, x, beta) => beta * (mem - spk) + x,
  "zero": (mem, spk, x, beta) => beta * (1 - spk) * mem + x,
  "subtract": (mem, spk, x, beta) => beta * mem + x - spk,
  "appendix zero": (mem, spk, x, beta) => (1 - spk) * (beta * mem + x),
};
const STEPS = 100;

// The input [T] whose mean is `current`: steady, all of it in every fifth step, or exponential noise.
export function drive(current, kind, uniform) {
  if (kind == "constant") return Array(STEPS).fill(current);
  if (kind == "pulse train") return Array.from({length: STEPS}, (_, t) => t % 5 == 4 ? 5 * current : 0);
  const noise = uniform.map(number => -Math.log1p(-number)), mean = sum(noise) / STEPS;
  return noise.map(number => current * number / mean);
}

export function lif(x, beta, reset) {
  let mem = 0, spk = 0;
  const steps = {mem: [], spk: []};
  for (const now of x) {
    mem = RESETS[reset](mem, spk, now, beta);
    spk = mem > 1 ? 1 : 0;
    steps.mem.push(mem);                                  // as it was before its reset
    steps.spk.push(spk);
  }
  return steps;
}

// What leaked, what resets took, and what the membrane still stores, as shares of the input.
export function budget(x, mem, beta) {
  const total = sum(x), leak = (1 - beta) * sum(mem.slice(0, -1)), stored = mem.at(-1);
  return [leak / total, (total - leak - stored) / total, stored / total];
}

export function model({beta, current, kind, held}, {uniform}) {
  const gain = held.startsWith("W'") ? (1 - beta) / 0.1 : 1;
  const x = drive(current, kind, uniform).map(now => gain * now);
  const rows = Object.keys(RESETS).map(name => {
    const {mem, spk} = lif(x, beta, name), first = spk.indexOf(1);
    return {name, mem, spk, shares: budget(x, mem, beta), after: first >= 0 && first + 1 < STEPS ? first + 1 : null};
  });
  return {x, rows};
}

// How a step came about, in numbers.
function equation({name, mem, spk}, x, beta, t) {
  const [before, paid] = t ? [mem[t - 1], spk[t - 1]] : [0, 0];
  const [b, u, i] = [beta, before, x[t]].map(number => number.toFixed(2));
  const term = {
    "subtract_decayed": `${b} × (${u} − 1) + ${i}`, "zero": `${b} × 0 + ${i}`, "subtract": `${b} × ${u} + ${i} − 1`,
    "appendix zero": "0, and the input is lost"}[paid ? name : ""] ?? `${b} × ${u} + ${i}`;
  return [`${term}${term.startsWith("0,") ? "" : ` = ${mem[t].toFixed(2)}`}`, paid && name != "none"];
}

const ROW = 5, HEAD = 1.7, PARTS = [["leak", "sky"], ["resets", "vermillion"], ["stored", "black"]];
const percent = share => Math.round(100 * Math.min(1, Math.max(0, share)));

export function figure(stage) {
  const {values, data} = stage;
  const step = stage.slider("step", {label: "look at step", low: 0, high: STEPS - 1, step: 1, start: 4});
  const play = stage.player(step, 120);
  stage.row(stage.control("beta"), stage.control("current"));
  stage.row(stage.control("kind"), stage.control("held"));
  const canvas = stage.picture(HEAD + 5 * ROW + 4.9, data.alt, draw);
  stage.row(play, step);
  let left, right, edge;                                  // of the traces, and where the bars begin
  canvas.style.cursor = "ew-resize";
  for (const kind of ["pointerdown", "pointermove"]) stage.listen(canvas, kind, event => {
    if (!event.buttons) return;
    canvas.setPointerCapture(event.pointerId);
    play.stop();
    step.set(Math.round((stage.place(canvas, event)[0] - left) / (right - left) * (STEPS - 1)));
  });

  let found, top;
  stage.update = () => {
    found = model(values, data);
    const peak = Math.max(...found.rows.filter(row => row.name != "none").flatMap(row => row.mem), ...found.x);
    top = [1.4, 2, 4, 8, 16, 32].find(level => level >= peak) ?? 64;
    stage.say(words());
  };

  function words() {
    const fired = found.rows.map(({name, spk}) => `${name} ${sum(spk)}`).join(", ");
    const [leak, resets, stored] = found.rows.find(row => row.name == "subtract").shares.map(percent);
    const levels = found.rows.map(({name, mem}) => `${name} ${mem[values.step].toFixed(2)}`).join(", ");
    return `Spikes in ${STEPS} steps: ${fired}. With subtract ${leak} % of the input leaks, resets take ${resets} %, ` +
      `${stored} % is stored. Potential at step ${values.step}: ${levels}.`;
  }

  function draw(pen, width, height) {
    const {ink, grey, faint, orange} = stage.colours, wide = width > 46;
    const column = wide ? 14 : 8.6, across = t => left + (right - left) * t / (STEPS - 1);
    [left, right, edge] = [1.4, width - column - 0.9, width - column - 0.1];
    const bottom = HEAD + 5 * ROW;
    write(pen, wide ? "potential U, spikes, and the step you look at" : "potential U", left, 1.1, grey);
    let at = edge;
    for (const [part, colour] of PARTS)
      at += write(pen, part, at, 1.1, stage.colours[colour], {weight: "bold", size: wide ? 0.92 : 0.75}) + 0.4;
    found.rows.forEach((row, place) => {
      drawRow(pen, row, HEAD + place * ROW, across, wide);
      drawBudget(pen, row, HEAD + place * ROW + 2.3, column);
    });
    const level = value => bottom + 3.7 - 2.3 * value / top;
    const name = values.held.startsWith("W'") ? "(1 − β) W' X" : "W X";
    write(pen, `input ${name}: ${found.x[values.step].toFixed(2)}`, left, bottom + 1, ink);
    line(pen, found.x.flatMap((now, t) => [[across(t - 0.5), level(now)], [across(t + 0.5), level(now)]]), orange);
    line(pen, [[left, level(0)], [right, level(0)]], faint, {width: 0.06});
    for (let t = 0; t < STEPS; t += wide ? 20 : 50) write(pen, t, across(t), bottom + 4.7, grey, {align: "center"});
    write(pen, `step ${STEPS - 1}`, right, bottom + 4.7, grey, {align: "right"});
    line(pen, [[across(values.step), bottom + 1.4], [across(values.step), bottom + 3.7]], orange, {width: 0.14});
  }

  function drawRow(pen, {name, mem, spk, after}, y, across, wide) {
    const {ink, grey, faint, blue, black, orange, vermillion} = stage.colours, t = values.step;
    const level = value => y + 4.6 - 2.3 * (value + 0.1) / (top + 0.1);
    const [term, paid] = equation({name, mem, spk}, found.x, values.beta, t), fired = `${sum(spk)} spikes`;
    const shown = wide ? `U[${t}] = ${term}` : mem[t].toFixed(2);
    const end = right - 1 - write(pen, shown, right, y + 1, paid ? vermillion : grey, {align: "right"});
    const start = left + 0.6 + write(pen, name, left, y + 1, ink, {weight: "bold"});
    const words = [...(after != null ? [`${fired}, begins again at ${mem[after].toFixed(2)}`] : []), fired, `${sum(spk)}`];
    write(pen, words.find(each => write(pen, each, 0, 0, "transparent") < end - start) ?? "", start, y + 1, ink);
    line(pen, [[left, level(1)], [right, level(1)]], grey, {width: 0.07, dash: [0.4, 0.3]});
    line(pen, [[left, level(0)], [right, level(0)]], faint, {width: 0.06});
    write(pen, "θ", left - 0.3, level(1) + 0.3, grey, {align: "right"});
    line(pen, [[across(t), y + 1.3], [across(t), y + 4.8]], orange, {width: 0.14});
    inside(pen, left - 0.4, y + 2.2, right - left + 0.8, 2.7, () =>
      line(pen, mem.map((value, step) => [across(step), level(value)]), blue, {width: 0.12}));
    spk.forEach((fired, step) => fired && line(pen, [[across(step), y + 1.4], [across(step), y + 2.1]], black, {width: 0.12}));
    if (after != null && mem[after] <= top) dot(pen, across(after), level(mem[after]), vermillion, 0.3);
    if (mem[t] > top) write(pen, "↑", across(t), y + 3.1, blue, {align: "center", weight: "bold"});
    else dot(pen, across(t), level(mem[t]), paid ? vermillion : blue, 0.36);
  }

  function drawBudget(pen, {shares}, y, column) {
    let at = edge;
    PARTS.forEach(([part, colour], place) => {
      const size = Math.min(column * Math.max(0, shares[place]), edge + column - at);
      pen.fillStyle = stage.colours[colour];
      pen.fillRect(at, y, size, 1.7);
      if (part == "resets") hatch(pen, at, y, size, 1.7);
      const words = `${percent(shares[place])} %`;
      if (size > 2.3) write(pen, words, at + size / 2, y + 2.75, stage.colours.ink, {align: "center", size: 0.85});
      at += size;
    });
    pen.lineWidth = 0.06;
    pen.setLineDash([]);
    pen.strokeStyle = stage.colours.grey;
    pen.strokeRect(edge, y, column, 1.7);
  }
}

function dot(pen, x, y, colour, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  pen.fillStyle = colour;
  pen.fill();
}

function inside(pen, x, y, width, height, draw) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, width, height);
  pen.clip();
  draw();
  pen.restore();
}

function hatch(pen, x, y, width, height) {
  inside(pen, x, y, width, height, () => {
    for (let at = x - height; at < x + width; at += 0.8)
      line(pen, [[at, y + height], [at + height, y]], "#ffffff99", {width: 0.12});
  });
}
