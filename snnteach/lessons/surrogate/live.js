// Notebook 07: which potentials a surrogate reaches, and what it can teach them. The model first, then the picture.

const BETA = 0.9, STEPS = 20, PUSH = 0.08, LOW = -6, HIGH = 1.5;

// h(u), what stands in for the slope of a spike at u = potential - threshold; k is the sharpness.
export const SURROGATES = {
  atan: (u, k) => 1 / (1 + (Math.PI * k * u) ** 2),
  fast_sigmoid: (u, k) => 1 / (1 + k * Math.abs(u)) ** 2,
  sigmoid: (u, k) => { const s = 1 / (1 + Math.exp(-k * u)); return k * s * (1 - s); },
  triangular: (u, k) => Math.max(0, 1 - k * Math.abs(u)),
  boxcar: (u, k) => k * Math.abs(u) < 0.5 ? 1 : 0,
  gaussian: (u, k) => Math.exp(-((k * u) ** 2) / 2),
};
// Where h has half its height, for k = 1: there the reader takes hold of it.
const HALF = {atan: 1 / Math.PI, fast_sigmoid: Math.SQRT2 - 1, sigmoid: 2 * Math.log(1 + Math.SQRT2), triangular: 0.5,
  boxcar: 0.5, gaussian: Math.sqrt(2 * Math.LN2)};

// The noise [T][N], sent as numbers of four bytes.
export function unpacked(drive) {
  const numbers = new Float32Array(Uint8Array.from(atob(drive), letter => letter.charCodeAt(0)).buffer);
  const neurons = numbers.length / STEPS;
  return Array.from({length: STEPS}, (_, t) => Array.from(numbers.slice(t * neurons, (t + 1) * neurons)));
}

// One neuron: where its potential stands in each step, measured from the threshold.
function run(current, bias, threshold) {
  let mem = 0, spk = 0;
  return current.map(x => {
    mem = BETA * mem + x + bias - threshold * spk;
    spk = mem > threshold ? 1 : 0;
    return mem - threshold;
  });
}

// What h lends to the slope of its firing rate along its bias: back through time, step by step.
function lent(u, h) {
  let delta = 0, total = 0;
  for (let t = STEPS - 1; t >= 0; t--) total += delta = h(u[t]) + BETA * delta;
  return total / STEPS;
}

// All neurons after `step` steps of training, in which the bias of a silent neuron climbs what it is lent, by PUSH at most.
export function model({kind, slope, threshold, spread, step}, drive) {
  const h = u => SURROGATES[kind](u, slope);
  const neurons = drive[0].map((_, neuron) => {
    const current = drive.map(x => spread * x[neuron]);
    let bias = 0, u = run(current, bias, threshold);
    for (let number = 0; number < step && !u.some(each => each > 0); number++) {
      bias += Math.min(PUSH, lent(u, h));
      u = run(current, bias, threshold);
    }
    return {u, fires: u.some(each => each > 0), reached: u.some(each => h(each) > 0.01)};
  });
  const share = what => neurons.filter(neuron => neuron[what]).length / neurons.length;
  return {h, neurons, fires: share("fires"), reached: share("reached")};
}

const TOP = 2.4, CURVE = 6.2, FAN = TOP + CURVE + 2.4, ROW = 0.56, FLOOR = FAN + STEPS * ROW, HIGHEST = 1.2, TURN = 300;
const percent = share => share > 0 && share < 0.01 ? "under 1 %" : `${Math.round(100 * share)} %`;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export function figure(stage) {
  const {values, data} = stage, drive = unpacked(data.drive), {label, unit} = data.controls.slope;
  const sharpness = octave => 2 ** octave, said = octave => sharpness(octave).toPrecision(2);       // as many steps an octave
  const slope = stage.slider("octave", {label, unit, low: -2, high: 5, step: 0.05, start: 0, said});
  const threshold = stage.slider("threshold", {...data.controls.threshold, step: 0.02});
  const step = stage.control("step"), train = stage.player(step, TURN + 100);
  stage.row(stage.control("kind"));
  stage.row(slope, threshold);
  const canvas = stage.picture(FLOOR + 5.8, data.alt, draw);
  stage.row(train, step, stage.control("spread"));
  let left, right, found, held = null, hinted = {curve: true, fan: true};                 // what the hand holds, has not held
  let trained = values.step, before = null, since = 0;    // a step of training is walked in TURN milliseconds
  const across = u => left + (right - left) * (clamp(u, LOW, HIGH) - LOW) / (HIGH - LOW);
  canvas.style.cursor = "ew-resize";
  for (const kind of ["pointerdown", "pointermove"]) stage.listen(canvas, kind, event => {
    if (!event.buttons) return;
    const [x, y] = stage.place(canvas, event), u = LOW + (x - left) / (right - left) * (HIGH - LOW);
    canvas.setPointerCapture(event.pointerId);
    if (kind == "pointerdown") held = {what: y < FAN - 1.8 ? "curve" : "fan", from: u + values.threshold};
    if (kind == "pointermove") hinted[held.what] = false;
    if (held.what == "curve") slope.set(Math.log2(HALF[values.kind] / Math.max(0.005, Math.abs(u))));
    else threshold.set(held.from - u);
  });

  stage.update = () => {
    if (values.step != trained) [before, since, trained] = [found.neurons, performance.now(), values.step];
    found = model({...values, slope: sharpness(values.octave)}, drive);
    const {kind, threshold, spread} = values, where = `threshold ${threshold.toFixed(2)}, spread ${spread.toFixed(2)}`;
    stage.say(`${verdict()}, of 200 neurons. Surrogate ${kind}, sharpness ${said(values.octave)}; ${where}.`);
  };

  function verdict() {
    const after = values.step ? `Step ${values.step}: ` : "", [fire, reach] = [found.fires, found.reached].map(percent);
    if (found.fires) return `${after}${fire} fire, ${reach} in reach`;
    return `${after}silent; ${reach} of the neurons where h > 0.01`;
  }

  function draw(pen, width) {
    const {ink, grey, orange} = stage.colours, wide = width > 40, {h} = found;
    [left, right] = [1, width - 0.6];
    const words = verdict().replace(/^./, letter => letter.toUpperCase());
    write(pen, words, left, 1.2, ink, {weight: "bold", size: wide ? 1.25 : 1});
    const axis = Array.from({length: 701}, (_, place) => LOW + (HIGH - LOW) * place / 700), lit = axis.filter(u => h(u) > 0.01);
    const [from, to] = [Math.min(...lit), Math.max(...lit)].map(across), outside = from > left + 5;
    pen.fillStyle = `${orange}2b`;                        // the window
    pen.fillRect(from, TOP, to - from, FLOOR - TOP);
    write(pen, "h > 0.01", from + (outside ? -0.4 : 0.4), TOP + CURVE - 0.6, grey, {align: outside ? "right" : "left"});
    line(pen, [[across(0), TOP], [across(0), FLOOR]], grey, {width: 0.09, dash: [0.4, 0.3]});
    drawCurve(pen, axis, wide);
    drawFan(pen, wide, wide ? "u = U − θ" : "u");
    drawShares(pen, wide ? 12 : 5.2, wide, FLOOR + 3.6);
  }

  function drawCurve(pen, axis, wide) {
    const {ink, grey, faint, vermillion} = stage.colours, {h} = found, k = said(values.octave), peak = h(0);
    const level = value => TOP + CURVE * (1 - Math.min(value, HIGHEST) / HIGHEST);
    line(pen, [[left, level(0)], [right, level(0)]], faint, {width: 0.06});
    line(pen, [[LOW, 0], [0, 0], [0, 1], [HIGH, 1]].map(([u, value]) => [across(u), level(value)]), ink, {width: 0.16});
    line(pen, axis.map(u => [across(u), level(h(u))]), vermillion, {width: 0.2});
    write(pen, wide ? "spike S(u)" : "S(u)", right, level(1) - 0.5, ink, {align: "right"});
    write(pen, wide ? `surrogate h(u): ${values.kind}, k = ${k}` : `h(u), k = ${k}`, left, TOP + 1, vermillion);
    const x = Math.max(left + 0.6, across(-HALF[values.kind] / sharpness(values.octave))), y = level(peak / 2);
    if (peak > HIGHEST) write(pen, `peak ${peak.toFixed(1)} ↑`, x - 0.9, TOP + 2.2, vermillion, {align: "right"});
    pen.beginPath();
    pen.arc(x, y, 0.5, 0, 7);
    Object.assign(pen, {fillStyle: "#ffffff", strokeStyle: vermillion, lineWidth: 0.22});
    pen.setLineDash([]);
    pen.fill();
    pen.stroke();
    if (hinted.curve) write(pen, "drag ↔", x - 0.9, y + 0.3, grey, {align: "right"});
  }

  function drawFan(pen, wide, name) {
    const {ink, grey, faint, blue, black} = stage.colours, {h, neurons} = found, walked = (performance.now() - since) / TURN;
    neurons.forEach(({u}, neuron) => u.forEach((now, t) => {
      const each = before && walked < 1 ? before[neuron].u[t] + walked * (now - before[neuron].u[t]) : now;
      const y = FAN + ROW * (t + 0.1 + 0.8 * (neuron * 0.618 % 1)), reach = h(each), size = reach > 0.01 ? 0.24 : 0.2;
      pen.globalAlpha = reach > 0.01 ? clamp(1 + Math.log10(reach) / 3, 0.3, 1) : 0.4;
      pen.fillStyle = each > 0 ? black : reach > 0.01 ? blue : grey;
      each > 0 ? pen.fillRect(across(each) - 0.08, y - 0.35, 0.16, 0.7) : pen.fillRect(across(each), y, size, size);
    }));
    pen.globalAlpha = 1;
    if (walked < 1) stage.changed();
    const y = FAN - 0.6, ends = [-values.threshold, 0].map(across);
    line(pen, [[ends[0], y], [ends[1], y]], ink, {width: 0.1});
    for (const x of ends) line(pen, [[x, y - 0.35], [x, y + 0.35]], ink, {width: 0.1});
    const words = `${wide ? "from rest to threshold: " : "θ = "}${values.threshold.toFixed(2)}`;
    write(pen, words, ends[1] - 0.3, y - 0.55, ink, {align: "right"});
    if (hinted.fan) write(pen, "↔ drag", ends[1] + 0.5, y + 0.3, grey);
    ["step 1", `step ${STEPS}`].forEach((each, last) =>
      write(pen, each, right, last ? FLOOR - 0.2 : FAN + 0.7, grey, {align: "right", size: 0.8}));
    line(pen, [[left, FLOOR + 0.3], [right, FLOOR + 0.3]], faint, {width: 0.06});
    for (let u = LOW; u <= 0; u++) write(pen, `${u}`.replace("-", "−"), across(u), FLOOR + 1.4, grey, {align: "center"});
    write(pen, name, right, FLOOR + 1.4, grey, {align: "right"});
  }

  function drawShares(pen, from, wide, y) {
    const {ink, blue, black} = stage.colours;
    [["fire", found.fires, black], ["in reach", found.reached, blue]].forEach(([words, share, colour], row) => {
      const size = (right - from - 4.5) * share;
      write(pen, wide ? `neurons ${row ? words : "that fire"}` : words, left, y + 1.5 * row, ink);
      pen.fillStyle = colour;
      pen.fillRect(from, y - 0.8 + 1.5 * row, size, 1);
      write(pen, percent(share), from + size + 0.4, y + 1.5 * row, ink);
    });
  }
}
