// Notebook 00: draw a digit, and a small spiking network reads it step by step. The model, then drawings, then the figure.

const STEPS = 20, BETA = 0.9, HIDDEN = 64, SIDE = 28;
const range = count => [...Array(count).keys()];
const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));

// A layer: currents = weight @ x + bias; the weights are int8 times one scale, as float32.
export function layer({weight, scale, bias}) {
  const weights = Float64Array.from(new Int8Array(bytes(weight).buffer), number => Math.fround(number * scale));
  return {weights, currents: x => bias.map((total, row) => {
    for (let at = 0; at < x.length; at++) if (x[at]) total += weights[row * x.length + at] * x[at];
    return total;
  })};
}

// One step of a layer: mem = beta * mem + x - spk, and a spike where mem is above the threshold 1.
function lif(x, mem, spk) {
  const now = x.map((current, neuron) => BETA * mem[neuron] + current - spk[neuron]);
  return [now, now.map(potential => potential > 1 ? 1 : 0)];
}

// Let the network look at pixels from 0 to 1; hidden spikes, their membranes and output spikes, one list a step.
export function read(pixels, [first, second]) {
  const current = first.currents(pixels), steps = {hidden: [], mem: [], output: []};
  let mem = Array(HIDDEN).fill(0), spk = mem, out = Array(10).fill(0), vote = out;
  for (let t = 0; t < STEPS; t++) {
    [mem, spk] = lif(current, mem, spk);
    [out, vote] = lif(second.currents(spk), out, vote);
    for (const [name, row] of Object.entries({hidden: spk, mem, output: vote})) steps[name].push(row);
  }
  return steps;
}

export const votes = (output, step) => range(10).map(digit => sum(output.slice(0, step).map(spk => spk[digit])));

// The stored test images: a byte a pixel, zeros as 0 and how many of them follow one another.
export function images({images}) {
  const found = [], packed = bytes(images);
  for (let at = 0; at < packed.length; at++)
    found.push(...packed[at] ? [packed[at] / 255] : Array(packed[++at]).fill(0));
  return range(found.length / SIDE ** 2).map(number => found.slice(number * SIDE ** 2, (number + 1) * SIDE ** 2));
}

// What a pen 2.5 pixels wide leaves of strokes, lists of points in pixels: the ink of a pixel, of 4 x 4 samples.
function inked(strokes) {
  const fine = 4 * SIDE, places = range(fine), ink = new Uint8Array(fine ** 2), radius = 1.25;
  for (const stroke of strokes) stroke.forEach(([x, y], place) => {
    const [a, b] = stroke[Math.max(0, place - 1)], [dx, dy] = [x - a, y - b], length = dx * dx + dy * dy || 1;
    const reach = (low, high) => places.slice(...[low - radius, high + radius].map(end => Math.max(0, Math.round(4 * end))));
    for (const row of reach(Math.min(b, y), Math.max(b, y))) for (const column of reach(Math.min(a, x), Math.max(a, x))) {
      const [px, py] = [(column + 0.5) / 4 - a, (row + 0.5) / 4 - b];
      const along = Math.min(1, Math.max(0, (px * dx + py * dy) / length));
      if ((px - along * dx) ** 2 + (py - along * dy) ** 2 <= radius ** 2) ink[row * fine + column] = 1;
    }
  });
  const pixels = Array(SIDE ** 2).fill(0);
  ink.forEach((one, at) => { pixels[Math.floor(at / fine / 4) * SIDE + Math.floor(at % fine / 4)] += one / 16; });
  return pixels;
}

// Redraw strokes as MNIST was made: in a box of 20 x 20 pixels, its mass in the middle of 28 x 28.
export function prepared(strokes) {
  const points = strokes.flat();
  if (!points.length) return inked([]);
  const ends = [0, 1].map(axis => [Math.min, Math.max].map(end => end(...points.map(point => point[axis]))));
  const scale = 17.5 / Math.max(0.05, ...ends.map(([low, high]) => high - low));
  const placed = place => strokes.map(stroke => stroke.map(point => point.map((at, axis) =>
    scale * (at - sum(ends[axis]) / 2) + place[axis])));
  const pixels = inked(placed([14, 14])), mass = sum(pixels);
  const middle = axis => sum(pixels.map((ink, at) => ink * ((axis ? Math.floor(at / SIDE) : at % SIDE) + 0.5))) / mass;
  return inked(placed([28 - middle(0), 28 - middle(1)]));
}

export function figure(stage) {
  const {values, data} = stage, net = data.layers.map(layer), shown = images(data);
  let pixels, found, count, answer, pen = [0.5, 0.5], down = false, strokes = null;    // null: a test image; 0 to 1 on the pad
  const number = stage.control("number"), step = stage.slider("step", {...data.controls.step, start: STEPS});
  const neuron = stage.slider("neuron", {label: "hidden neuron", low: 0, high: HIDDEN - 1, step: 1, start: 39});
  const play = stage.player(step, 150), look = steps => { play.stop(); step.set(steps); };
  const anew = drawn => { strokes = drawn; down = false; look(STEPS); };
  stage.listen(number.input, "input", () => anew(null));

  const parts = ["0 0 15.6em", "0 1 7.2em", "1 1 24em"].map(flex => made("div", {style: `flex: ${flex}; min-width: 0`}));
  const left = made("div", {style: "flex: 0 1 24.6em; min-width: min(100%, 20em)"},
    made("div", {style: "display: flex; flex-wrap: wrap; gap: .8em"}, ...parts.slice(0, 2)),
    made("div", {class: "live-controls"}, stage.button("clear", () => anew([])), play,
      stage.button("step", () => look(values.step < STEPS ? values.step + 1 : 0))), number, step, neuron);
  stage.row(left, parts[2]).style.alignItems = "flex-start";
  const pad = stage.picture(17, "Drawing pad: arrow keys move the pen, space puts it down or up.", drawPad, parts[0]);
  stage.picture(17, "The image as the network sees it, and the weights of a hidden neuron.", drawSide, parts[1]);
  const steps = stage.picture(26, data.alt, drawSteps, parts[2]), size = 15.4;
  Object.assign(pad, {role: "application", tabIndex: 0});
  pad.style.cssText += "touch-action: none; cursor: crosshair";

  const put = begins => {                                 // the pen leaves a point, of a new stroke or of the last
    if (begins) strokes = [...strokes ?? [], []];
    strokes.at(-1).push(pen);
    look(STEPS);
  };
  for (const kind of ["pointerdown", "pointermove"]) stage.listen(pad, kind, event => {
    if (!event.buttons || (kind == "pointermove" && !strokes?.length)) return;
    pad.setPointerCapture(event.pointerId);
    pen = stage.place(pad, event).map((place, axis) => Math.min(1, Math.max(0, (place - 1.4 * axis) / size)));
    put(kind == "pointerdown");
  });
  const moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], " ": [0, 0]};
  stage.listen(pad, "keydown", event => {
    const move = moves[event.key], lifts = event.key == " ";
    if (!move) return;
    event.preventDefault();                               // the page stays where it is
    pen = pen.map((place, axis) => Math.min(0.97, Math.max(0.03, place + 0.04 * move[axis])));
    if (lifts) down = !down;
    down ? put(lifts) : stage.changed();
  });
  ["focus", "blur"].forEach(kind => stage.listen(pad, kind, () => stage.changed()));
  stage.listen(steps, "pointerdown", event => {
    const at = Math.floor((stage.place(steps, event)[1] - 1.6) / 17 * HIDDEN);
    if (at >= 0 && at < HIDDEN) neuron.set(at);
  });

  stage.update = () => {
    pixels = strokes ? prepared(strokes) : shown[values.number];
    found = read(pixels, net);
    count = votes(found.output, values.step);
    answer = sum(count) ? count.indexOf(Math.max(...count)) : null;
    const fired = sum(found.hidden.slice(0, values.step).map(spk => spk[values.neuron])), each = count.join(", ");
    stage.say(`${verdict().join(": ")}. Votes for 0 to 9 after ${values.step} steps: ${each}. ` +
      `Spikes of hidden neuron ${values.neuron}: ${fired}.`);
  };

  function verdict() {
    if (strokes && !strokes.length) return ["draw a digit", "on the sheet"];
    if (answer == null) return ["no vote yet", strokes ? "your drawing" : `a ${data.labels[values.number]}`];
    const [first, second] = [...count].sort((a, b) => b - a), label = data.labels[values.number];
    const lead = first == second ? "a tie" : `${first - second} votes ahead`;
    return [`reads ${answer}`, strokes || first == second ? lead : `${answer == label ? "right" : "wrong"}: a ${label}`];
  }

  function sheet(pen, y, size, colour) {
    Object.assign(pen, {fillStyle: stage.colours.paper, strokeStyle: colour, lineWidth: 0.08});
    for (const draw of ["fillRect", "strokeRect"]) pen[draw](0.1, y, size, size);
  }

  function squares(pen, numbers, y, colour) {             // 28 x 28 numbers from -1 to 1
    const one = 6.8 / SIDE;
    sheet(pen, y, 6.8, stage.colours.faint);
    numbers.forEach((value, at) => {
      pen.globalAlpha = Math.abs(value);
      pen.fillStyle = colour(value);
      if (value) pen.fillRect(0.1 + at % SIDE * one, y + Math.floor(at / SIDE) * one, one + 0.02, one + 0.02);
    });
    pen.globalAlpha = 1;
  }

  function drawPad(pencil) {
    const {ink, grey, orange} = stage.colours, on = ([x, y]) => [0.1 + size * x, 1.4 + size * y], [x, y] = on(pen);
    write(pencil, "draw here", 0, 1, ink, {weight: "bold"});
    sheet(pencil, 1.4, size, grey);
    pencil.lineCap = "round";
    for (const stroke of strokes ?? []) line(pencil, [stroke[0], ...stroke].map(on), ink, {width: 1});
    if (!strokes?.length) write(pencil, "mouse, finger, or arrows and space", 0.7, 9.4, grey, {size: 0.8});
    if (document.activeElement == pad) line(pencil, [[x - 0.5, y], [x + 0.5, y]], orange, {width: down ? 0.9 : 0.3});
  }

  function drawSide(pencil) {
    const {ink, blue, vermillion} = stage.colours, from = values.neuron * SIDE ** 2;
    const weights = [...net[0].weights.slice(from, from + SIDE ** 2)], most = Math.max(...weights.map(Math.abs));
    write(pencil, "what it sees", 0, 1, ink, {weight: "bold"});
    squares(pencil, pixels, 1.4, () => ink);
    write(pencil, `weights of ${values.neuron}`, 0, 9.6, ink, {weight: "bold"});
    squares(pencil, weights.map(weight => weight / most), 10, value => value > 0 ? blue : vermillion);
  }

  function drawSteps(pencil, width) {
    const {ink, grey, faint, black, blue, orange, sky, vermillion} = stage.colours, right = width - 9.5, now = values.step;
    const across = t => 1.4 + (right - 1.4) * t / STEPS, row = neuron => 1.6 + 17 * neuron / HIDDEN;
    const mems = found.mem.map(mem => mem[values.neuron]), low = Math.min(-0.5, ...mems), high = Math.max(1.5, ...mems);
    const level = value => 23.6 - 3 * (value - low) / (high - low);
    write(pencil, "hidden spikes", 1.4, 1, ink, {weight: "bold"});
    line(pencil, [0, STEPS].map(t => [across(t), row(values.neuron + 0.5)]), faint, {width: 0.4});
    found.hidden.slice(0, now).forEach((spk, t) => spk.forEach((fired, at) => fired && line(pencil,
      [0.25, 0.75].map(end => [across(t + end), row(at + 0.5)]), at == values.neuron ? vermillion : black, {width: 0.22})));
    write(pencil, `potential of ${values.neuron}`, 1.4, 19.9, ink, {weight: "bold"});
    line(pencil, [[1.4, level(1)], [right, level(1)]], grey, {width: 0.07, dash: [0.4, 0.3]});
    write(pencil, "θ", 1.1, level(1) + 0.3, grey, {align: "right"});
    line(pencil, mems.slice(0, now).map((mem, t) => [across(t + 0.5), level(mem)]), blue, {width: 0.14});
    line(pencil, [[across(now), 1.6], [across(now), 24]], orange, {width: 0.14});
    for (let t = 0; t <= STEPS; t += 5) write(pencil, t ? t : "step 0", across(t), 25.3, grey, {align: "center"});
    write(pencil, "votes", right + 1.2, 1, ink, {weight: "bold"});
    count.forEach((each, digit) => {
      const y = 2.3 + 1.7 * digit, bar = Math.min(5.4, each * 0.4), first = digit == answer;
      write(pencil, digit, right + 1.2, y + 0.35, ink, {weight: first ? "bold" : "normal"});
      line(pencil, [[right + 2.3, y], [right + 2.3 + bar, y]], first ? vermillion : sky, {width: 1.3});
      if (each) write(pencil, each, right + 2.6 + bar, y + 0.35, ink);
    });
    verdict().forEach((words, row) =>
      write(pencil, words, right + 1.2, 21.2 + 1.7 * row, ink, row ? {} : {weight: "bold", size: 1.35}));
  }
}
