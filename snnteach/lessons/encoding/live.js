// Notebook 04: one digit in four codes, decoded as it arrives, while spikes get lost. The model, then the picture.

const STEPS = 16, SIDE = 28, PIXELS = SIDE * SIDE;
const range = count => [...Array(count).keys()];
const SILENT = Array(STEPS).fill(0);
const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));

// A code: `spikes(k, coins)`, the sixteen steps of a pixel of intensity k / 255, and `read(spk, step)`, what the first say.
export const CODES = {
  rate: {
    spikes: (k, coins) => coins.map(coin => coin < k ? 1 : 0),
    read: (spk, step) => Math.min(1, sum(spk.slice(0, step)) / step),
  },
  latency: {
    spikes: k => {
      const late = k / 255 > 0.05 ? Math.round((1 - k / 255) * (STEPS - 1)) : Infinity;
      return range(STEPS).map(t => t == late ? 1 : 0);
    },
    read: (spk, step) => {
      const late = spk.slice(0, step).indexOf(1);
      return late < 0 ? 0 : 1 - late / (STEPS - 1);
    },
  },
  phase: {                                                // eight binary digits, the largest first, and once again
    spikes: k => range(STEPS).map(t => Math.floor(Math.min(255, Math.floor(256 * k / 255)) / 2 ** (7 - t % 8)) % 2),
    read: (spk, step) => {
      const used = spk.slice(0, step < 8 ? step : step - step % 8);
      return sum(used.map((fired, t) => fired * 0.5 ** (1 + t % 8))) / Math.max(1, Math.floor(used.length / 8));
    },
  },
  delta: {                                                // black at first; then the picture flashes up
    spikes: k => range(STEPS).map(t => t == 1 ? Math.trunc(k / 255 / 0.1) : 0),
    read: (spk, step) => 0.1 * sum(spk.slice(0, step)),
  },
};

// Every pixel's spikes in a code, [784][16]; where the fate of a spike is below the share of those lost, it gets lost.
export function sent(code, image, lost, coins, fates) {
  const of = (table, pixel) => range(STEPS).map(t => table[t * PIXELS + pixel]);
  return Array.from(image, (k, pixel) => {
    if (!k) return SILENT;
    const fate = of(fates, pixel);
    return CODES[code].spikes(k, of(coins, pixel)).map((fired, t) => fate[t] >= 256 * lost ? fired : 0);
  });
}

export const unpacked = ({images, coins, fates}) => ({coins: bytes(coins), fates: bytes(fates),
  images: range(10).map(digit => bytes(images).slice(digit * PIXELS, (digit + 1) * PIXELS))});

// What a reader makes of all pixels after a step: the picture so far, its error, and how many spikes that took.
export function seen(code, spk, image, step) {
  const guess = spk.map(train => train == SILENT ? 0 : CODES[code].read(train, step));
  const error = Math.sqrt(sum(guess.map((value, pixel) => (value - image[pixel] / 255) ** 2)) / PIXELS);
  return {guess, error, count: sum(spk.map(train => train == SILENT ? 0 : sum(train.slice(0, step))))};
}

const LOOKS = {rate: ["blue"], latency: ["vermillion", [0.7, 0.3]], phase: ["purple", [0.2, 0.3]], delta: ["green", [1, 0.25]]};
const TOP = 1.5, ROW = 7.3, SIZE = 5.6, GAP = 0.5;
const inside = (place, count) => Math.max(0, Math.min(count - 1, Math.floor(place)));

export function figure(stage) {
  const {values, data} = stage, {images, coins, fates} = unpacked(data), codes = Object.keys(CODES);
  const step = stage.control("step"), play = stage.player(step, 400);
  stage.row(stage.control("digit"), stage.control("lost"));
  const boxes = ["1 1 9em", "1 1 10em", "999 1 24em"].map(flex => made("div", {style: `flex: ${flex}; min-width: 0`}));
  const side = made("div", {style: "display: flex; flex-wrap: wrap; gap: .5em; flex: 1 1 16em"}, ...boxes.slice(0, 2));
  stage.row(side, boxes[2]).style.cssText += "align-items: flex-start; gap: .6em 1em";
  stage.row(play, step);
  const pad = stage.picture(13.4, "The digit. Arrow keys move the pixel whose spikes are shown.", drawDigit, boxes[0]);
  const curves = stage.picture(15.6, "The error of each picture against the steps so far.", drawErrors, boxes[1]);
  const rows = stage.picture(TOP + 4 * ROW + 1.2, data.alt, drawRows, boxes[2]);
  Object.assign(pad, {role: "application", tabIndex: 0});
  let probe = [17, 10], image, found, key, right, side28, from, cell;    // row and column of a pixel; where things were drawn

  const point = (x, y) => {                               // in shares of a picture
    probe = [inside(y * SIDE, SIDE), inside(x * SIDE, SIDE)];
    stage.changed();
  };
  const look = t => { play.stop(); step.set(1 + inside(t, STEPS)); };
  const dragged = (canvas, action) => ["pointerdown", "pointermove"].forEach(kind => stage.listen(canvas, kind, event => {
    if (!event.buttons) return;
    canvas.setPointerCapture(event.pointerId);
    action(...stage.place(canvas, event));
  }));
  for (const canvas of [pad, curves, rows]) canvas.style.cursor = "crosshair";
  dragged(pad, (x, y) => point(x / side28, (y - 1.4) / side28));
  dragged(curves, x => look((x - 2) / (right - 2) * STEPS));
  dragged(rows, (x, y) => x > from ? look((x - from) / cell)
    : point(x % (SIZE + GAP) / SIZE, ((y - TOP) % ROW - 1.3) / SIZE));
  stage.listen(pad, "keydown", event => {
    const move = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (!move) return;
    event.preventDefault();                               // the page stays where it is
    probe = probe.map((place, axis) => inside(place + move[axis], SIDE));
    stage.changed();
  });

  stage.update = () => {
    const {digit, lost} = values, pixel = probe[0] * SIDE + probe[1];
    if (key != `${digit} ${lost}`) {                      // all steps at once, so that time can be dragged
      key = `${digit} ${lost}`;
      image = images[digit];
      found = Object.fromEntries(codes.map(code => {
        const spk = sent(code, image, lost, coins, fates);
        return [code, {spk, steps: range(STEPS).map(t => seen(code, spk, image, t + 1))}];
      }));
    }
    const grey = image[pixel] / 255, now = code => found[code].steps[values.step - 1];
    const each = codes.map(code => `${code} is off by ${now(code).error.toFixed(3)} after ${now(code).count} spikes and ` +
      `reads the pixel as ${CODES[code].read(found[code].spk[pixel], values.step).toFixed(2)}`);
    stage.say(`Step ${values.step}. ${each.join("; ")}. The pixel is ${grey.toFixed(2)}.`);
  };

  function shades(pen, x, y, size, shade, colour) {       // 28 x 28 numbers from 0 to 1, and the pixel that is looked at
    const one = size / SIDE, {paper, faint, orange} = stage.colours;
    Object.assign(pen, {fillStyle: paper, strokeStyle: faint, lineWidth: 0.08});
    pen.setLineDash([]);
    for (const draw of ["fillRect", "strokeRect"]) pen[draw](x, y, size, size);
    pen.fillStyle = colour;
    for (let at = 0; at < PIXELS; at++) if (pen.globalAlpha = Math.min(1, shade(at)))
      pen.fillRect(x + at % SIDE * one, y + Math.floor(at / SIDE) * one, one + 0.02, one + 0.02);
    Object.assign(pen, {globalAlpha: 1, strokeStyle: orange, lineWidth: Math.max(0.14, 0.3 * one)});
    pen.strokeRect(x + (probe[1] - 0.5) * one, y + (probe[0] - 0.5) * one, 2 * one, 2 * one);
  }

  function drawDigit(pen, width) {
    side28 = Math.min(width - 0.2, 11.8);
    write(pen, `pixel ${probe.join(", ")}: ${(image[probe[0] * SIDE + probe[1]] / 255).toFixed(2)}`, 0, 1, stage.colours.ink,
      {weight: "bold"});
    shades(pen, 0.1, 1.4, side28, at => image[at] / 255, stage.colours.ink);
  }

  function drawErrors(pen, width) {
    const {ink, grey, faint, orange} = stage.colours, errors = codes.map(code => found[code].steps.map(({error}) => error));
    const most = Math.ceil(10 * Math.max(...errors.flat())) / 10, level = error => 13 - 11 * error / most;
    right = width - 0.6;
    const across = t => 2 + (right - 2) * (t + 0.5) / STEPS;
    write(pen, "error of the picture", 0, 1, ink, {weight: "bold"});
    for (let mark = 0; mark <= most + 0.01; mark += 0.1) {
      line(pen, [[2, level(mark)], [right, level(mark)]], faint, {width: 0.06});
      write(pen, mark.toFixed(1), 1.7, level(mark) + 0.3, grey, {align: "right"});
    }
    errors.forEach((each, row) => {
      const [colour, dash] = LOOKS[codes[row]], points = each.map((error, t) => [across(t), level(error)]);
      line(pen, [points[0], ...points].slice(0, values.step + 1), stage.colours[colour], {width: 0.22, dash});
      line(pen, points.slice(values.step - 1, values.step).flatMap(([x, y]) => [[x - 0.2, y], [x + 0.2, y]]),
        stage.colours[colour], {width: 0.4});
    });
    line(pen, [[across(values.step - 1), 2], [across(values.step - 1), 13]], orange, {width: 0.16});
    for (const t of [1, 4, 8, 12, 16]) write(pen, t, across(t - 1), 14.2, grey, {align: "center"});
    write(pen, "steps so far", right, 15.4, grey, {align: "right"});
  }

  function drawRows(pen, width) {
    const {ink, grey} = stage.colours, wide = width > 40, pictures = wide ? 3 : 2;
    from = pictures * (SIZE + GAP) + 0.6;
    cell = (width - from - (wide ? 3 : 0.3)) / STEPS;
    ["this step", "read so far", "off by"].slice(0, pictures).forEach((words, place) =>
      write(pen, words, place * (SIZE + GAP), 1, grey, {size: wide ? 0.92 : 0.8}));
    write(pen, wide ? "the spikes of the pixel, and what they say" : "the pixel", from, 1, grey, {size: wide ? 0.92 : 0.8});
    const best = Math.min(...codes.map(code => found[code].steps[values.step - 1].error));
    codes.forEach((code, row) => drawCode(pen, code, TOP + row * ROW, wide, best));
    for (const t of wide ? range(STEPS) : [0, 7, 15])
      write(pen, t + 1, from + (t + 0.5) * cell, TOP + 4 * ROW + 0.9, ink, {align: "center", size: 0.8});
  }

  function drawCode(pen, code, y, wide, best) {
    const {ink, grey, faint, black, orange, vermillion, [LOOKS[code][0]]: colour} = stage.colours, dash = LOOKS[code][1];
    const {spk, steps} = found[code], {guess, error, count} = steps[values.step - 1], top = y + 1.4, now = values.step - 1;
    line(pen, [[0, y + 0.7], [1.6, y + 0.7]], colour, {width: 0.3, dash});
    const end = 2 + write(pen, code, 2, y + 1, colour, {weight: "bold"});
    write(pen, ` ${count} spikes, off by ${error.toFixed(3)}${error == best ? ": closest" : ""}`, end, y + 1, ink);
    shades(pen, 0, top, SIZE, at => spk[at][now], ink);
    shades(pen, SIZE + GAP, top, SIZE, at => guess[at], ink);
    if (wide) shades(pen, 2 * (SIZE + GAP), top, SIZE, at => Math.abs(guess[at] - image[at] / 255), vermillion);

    const pixel = probe[0] * SIDE + probe[1], train = spk[pixel], full = CODES[code].spikes(image[pixel],
      range(STEPS).map(t => coins[t * PIXELS + pixel]));
    const level = value => y + 6.9 - 3.3 * value, middle = t => from + (t + 0.5) * cell;
    for (const value of [0, 1]) line(pen, [[from, level(value)], [middle(STEPS - 0.5), level(value)]], faint, {width: 0.06});
    line(pen, [[from, level(image[pixel] / 255)], [middle(STEPS - 0.5), level(image[pixel] / 255)]], grey, {dash: [0.4, 0.3]});
    full.forEach((fired, t) => {
      if (fired) line(pen, [[middle(t), y + 1.6], [middle(t), y + 3]], train[t] ? t > now ? grey : black : vermillion,
        {width: t > now ? 0.12 : 0.24, dash: train[t] ? [] : [0.25, 0.2]});
      if (fired && !train[t]) write(pen, "lost", middle(t) + 0.3, y + 2.6, vermillion, {size: 0.75});
      if (fired > 1 && train[t]) write(pen, `+${fired}`, middle(t) + 0.3, y + 2.6, ink, {size: 0.8});
    });
    const said = range(STEPS).map(t => CODES[code].read(train, t + 1));
    const stairs = said.flatMap((value, t) => [[middle(t - 0.5), level(value)], [middle(t + 0.5), level(value)]]);
    line(pen, stairs, faint, {width: 0.16});
    line(pen, stairs.slice(0, 2 * values.step), colour, {width: 0.26});
    line(pen, [[middle(now + 0.5), y + 1.4], [middle(now + 0.5), y + 7]], orange, {width: 0.14});
    if (wide) write(pen, said[now].toFixed(2), middle(STEPS - 0.2), level(said[now]) + 0.3, colour, {weight: "bold"});
  }
}
