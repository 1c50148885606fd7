// Notebook 14: one synapse, its two traces, and its weight. The model first, then the pictures.

const STEPS = 120, A_PLUS = 1, A_MINUS = 1, FADE = Math.exp(-1 / 20);           // amplitudes in percent of the largest weight

// Regular pairs of spikes: pre at step 20 and every `period` after it, post `lag` steps later.
export function regular(lag, period) {
  const every = first => Array.from({length: Math.ceil((STEPS - first) / period)}, (_, number) => first + number * period);
  return {pre: every(20), post: every(20 + lag)};
}

export const train = spikes => Array.from({length: STEPS}, (_, t) => spikes.includes(t) ? 1 : 0);

// Both traces fade, then a spike of one side reads the trace of the other, then it adds to its own.
export function run(pre, post, pairs) {
  const S_pre = train(pre), S_post = train(post), steps = {x: [], y: [], change: [], readX: [], readY: []};
  const add = (trace, spike) => pairs == "nearest" ? Math.max(trace, spike) : trace + spike;
  let x = 0, y = 0, change = 0;
  for (let t = 0; t < STEPS; t++) {
    x *= FADE;
    y *= FADE;
    const [readX, readY] = [x, y];
    change += A_PLUS * S_post[t] * x - A_MINUS * S_pre[t] * y;
    x = add(x, S_pre[t]);
    y = add(y, S_post[t]);
    for (const [name, value] of Object.entries({x, y, change, readX, readY})) steps[name].push(value);
  }
  return steps;
}

// What one pair of spikes changes, by the steps from pre to post.
export const pairChange = lag => lag > 0 ? A_PLUS * FADE ** lag : lag < 0 ? -A_MINUS * FADE ** -lag : 0;

// The same as a sum over pairs: each spike looks back at all partners before it, or at the last.
export function changes(pre, post, pairs) {
  const before = (partners, t) => partners.filter(spike => spike < t).slice(pairs == "nearest" ? -1 : 0);
  return [...post.flatMap(t => before(pre, t).map(spike => ({pre: spike, post: t}))),
    ...pre.flatMap(t => before(post, t).map(spike => ({pre: t, post: spike})))].map(pair =>
    ({...pair, lag: pair.post - pair.pre, change: pairChange(pair.post - pair.pre)}));
}

const LEFT = 3.2, PRE = 3.6, X = 8.2, Y = 13, POST = 15.6, WEIGHT = 21.6, BOTTOM = 25.4;  // rows of the picture
const signed = value => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)} %`;
const nearest = (list, t, of = each => each) => [...list].sort((a, b) => Math.abs(of(a) - t) - Math.abs(of(b) - t))[0];

export function figure(stage) {
  const {values, data} = stage, lag = stage.control("lag"), period = stage.control("period"), play = stage.player(lag, 120);
  let spikes, chosen, held = null, laid = "", right, found, pairs, own;  // chosen: [neuron, step] or null
  stage.row(stage.control("pairs"), stage.button("remove spike", () => remove()), play);
  stage.row("regular pairs:", lag, period);
  const parts = ["2 1 27em", "1 1 17em"].map(flex => made("div", {style: `flex: ${flex}; min-width: 0`}));
  stage.row(...parts).style.alignItems = "flex-start";
  const keys = "Spikes: left and right move one, up and down choose, Enter adds one, Delete removes it.";
  const canvas = stage.picture(BOTTOM + 1.4, keys, draw, parts[0]);
  stage.picture(BOTTOM + 1.4, data.alt, drawWindow, parts[1]);
  Object.assign(canvas, {role: "application", tabIndex: 0}).style.cursor = "grab";
  const across = t => LEFT + (right - LEFT) * t / STEPS, step = x => (x - LEFT) / (right - LEFT) * STEPS;
  const all = () => Object.entries(spikes).flatMap(([side, times]) => times.map(t => [side, t])).sort((a, b) => a[1] - b[1]);
  function put(side, others, t) {                         // the chosen spike at a step, or at the next that is free
    const free = train(others).flatMap((taken, each) => taken ? [] : [each]);
    chosen = [side, nearest(free, t)];
    spikes[side] = [...others, chosen[1]].sort((a, b) => a - b);
    stage.changed();
  }
  function remove() {
    const [side, at] = chosen ?? ["pre"];
    spikes[side] = spikes[side].filter(t => t != at);
    chosen = nearest(all(), at, each => each[1]) ?? null;
    stage.changed();
  }
  stage.listen(canvas, "pointerdown", event => {
    const [x, y] = stage.place(canvas, event), side = y < X + 0.6 ? "pre" : "post", near = nearest(spikes[side], step(x));
    if (y > POST + 1.6 || x < LEFT - 1) return;
    const grabbed = Math.abs(across(near ?? -99) - x) < 1.1, t = grabbed ? near : Math.round(step(x));
    canvas.setPointerCapture(event.pointerId), play.stop();
    held = {side, others: spikes[side].filter(each => each != t), shift: t - step(x), before: [{...spikes}, chosen]};
    put(side, held.others, t);
  });
  stage.listen(canvas, "pointermove", event => {
    if (!event.buttons || !held) return;
    const [x, y] = stage.place(canvas, event);            // a spike that is drawn out of the traces is gone
    if (y > -2 && y < WEIGHT) return put(held.side, held.others, step(x) + held.shift);
    [spikes[held.side], chosen] = [held.others, null];
    stage.changed();
  });
  stage.listen(canvas, "pointerup", () => held = null);
  stage.listen(canvas, "pointercancel", () => {           // the finger scrolls the page
    if (held) [spikes, chosen] = held.before;
    held = stage.changed();
  });
  stage.listen(canvas, "keydown", event => {
    const places = all(), here = places.findIndex(each => `${each}` == `${chosen}`), [side, t] = chosen ?? ["pre", 40];
    const walk = {ArrowLeft: -1, ArrowRight: 1}[event.key], other = {ArrowUp: -1, ArrowDown: 1}[event.key];
    if (walk && chosen) put(side, spikes[side].filter(each => each != t), t + 1.1 * walk);  // past its neighbour
    else if (other) chosen = places[(here + other + places.length) % places.length] ?? null;
    else if (event.key == "Enter") put(side, spikes[side], t + 10);
    else if (/Delete|Backspace/.test(event.key)) remove();
    else return;
    event.preventDefault();
    stage.changed();
  });

  stage.update = () => {
    if (laid != (laid = `${values.lag} ${values.period}`)) {
      spikes = regular(values.lag, values.period);
      chosen = ["post", spikes.post[0]];
    }
    const {pre, post} = spikes;
    found = run(pre, post, values.pairs);
    pairs = changes(pre, post, values.pairs);
    own = chosen ? pairs.filter(pair => pair[chosen[0]] == chosen[1]) : [];
    const change = signed(found.change.at(-1));
    stage.say(`${title()}. Spikes of pre: ${pre.join(", ")}; of post: ${post.join(", ")}. Weight change: ${change}.`);
  };

  function title() {
    if (!chosen) return "No spike is chosen";
    const [side, t] = chosen, other = side == "pre" ? "post" : "pre", total = signed(sum(own.map(pair => pair.change)));
    if (spikes[other].includes(t)) return `${side} at ${t}: ${total}, nothing from ${other} at ${t}`;
    return `${side} at ${t}: ${total}, ${own.length} pair${own.length == 1 ? "" : "s"}`;
  }

  function draw(pen, width) {
    const {ink, grey, faint, orange, blue, vermillion, green, purple} = stage.colours, peak = Math.max(...found.x, ...found.y);
    right = width - 5;
    const highest = [1.2, 1.7, 2.4, 3.4, 5, 7].find(most => most >= peak) ?? 11;
    const level = (value, base) => base - 4 * value / highest;
    write(pen, title().replace(/^p/, "P"), 0, 1.1, ink, {weight: "bold", size: width > 34 ? 1.1 : 0.92});
    write(pen, "drag a spike, click for one more", LEFT, POST + 2.6, grey, {size: 0.85});
    const sides = [["pre", PRE, "x", X, blue, []], ["post", POST + 0.9, "y", Y, vermillion, [0.6, 0.25]]];
    for (const [side, y, trace, base, colour, dash] of sides) {
      const read = found[`read${trace.toUpperCase()}`];
      const curve = found[trace].flatMap((value, t) => [[across(t), level(read[t], base)], [across(t), level(value, base)]]);
      write(pen, side, LEFT - 0.6, y - 0.3, colour, {align: "right", weight: "bold"});
      write(pen, trace, LEFT - 0.6, base, colour, {align: "right", weight: "bold"});
      line(pen, [[LEFT, base], ...curve, [right, base]], "transparent");
      pen.fillStyle = `${colour}22`;
      pen.fill();
      line(pen, curve, colour, {width: 0.18, dash});
      line(pen, [[LEFT, base], [right, base]], faint, {width: 0.06});
      if (chosen?.[0] == side) line(pen, [0.3, -1.6].map(end => [across(chosen[1]), y + end]), `${orange}88`, {width: 1.1});
      for (const t of spikes[side]) line(pen, [0, -1.3].map(end => [across(t), y + end]), colour, {width: 0.32});
    }
    for (const t of spikes.post) drawRead(pen, t, POST - 0.6, level(found.readX[t], X), found.readX[t], green, []);
    for (const t of spikes.pre) drawRead(pen, t, PRE + 0.2, level(found.readY[t], Y), found.readY[t], purple, [0.5, 0.3]);
    drawWeight(pen);
  }

  function drawRead(pen, t, from, to, value, colour, dash) {  // from a spike to the trace that it reads
    if (!value) return;
    const x = across(t), end = to > from ? -0.6 : 0.6;
    line(pen, [[x, from], [x, to + end]], colour, {width: 0.14, dash});
    line(pen, [[x - 0.35, to + end], [x, to], [x + 0.35, to + end]], colour, {width: 0.18});
  }

  function drawWeight(pen) {
    const {ink, grey, faint, green, purple} = stage.colours, {change} = found, last = change.at(-1);
    const highest = [1, 2, 4, 8, 16].find(most => most >= Math.max(...change.map(Math.abs))) ?? 32;
    const level = value => WEIGHT - 3 * value / highest;
    line(pen, [[LEFT, WEIGHT], [right, WEIGHT]], faint, {width: 0.06});
    write(pen, "Δw", LEFT - 0.6, WEIGHT + 0.3, ink, {align: "right", weight: "bold"});
    const steps = change.flatMap((value, t) => [[across(t), level(change[t - 1] ?? 0)], [across(t), level(value)]]);
    line(pen, [...steps, [right, level(last)]], ink, {width: 0.16});
    change.forEach((value, t) => {
      const before = change[t - 1] ?? 0, colour = value > before ? green : purple;
      if (value != before) line(pen, [before, value].map(each => [across(t), level(each)]), colour, {width: 0.36});
    });
    write(pen, signed(last), right + 0.3, level(last) + 0.2, ink, {weight: "bold"});
    write(pen, "of w_max", right + 0.3, level(last) + 1.4, grey, {size: 0.75});
    for (let t = 0; t <= STEPS; t += 40) write(pen, t, across(t), BOTTOM + 0.6, grey, {align: "center"});
    write(pen, "step", across(20), BOTTOM + 0.6, grey, {align: "center"});
  }

  function drawWindow(pen, width) {
    const {ink, grey, faint, orange, green, purple} = stage.colours, middle = 8, level = value => middle - 5 * value;
    const across = lag => width / 2 + (width / 2 - 1) * Math.min(1, Math.max(-1, lag / 80));
    write(pen, "the window", 0, 1.1, ink, {weight: "bold"});
    line(pen, [[1, middle], [width - 1, middle]], faint, {width: 0.06});
    line(pen, [[width / 2, level(1.1)], [width / 2, level(-1.1)]], faint, {width: 0.06});
    for (const [sign, colour, dash] of [[1, green, []], [-1, purple, [0.6, 0.25]]])
      line(pen, Array.from({length: 81}, (_, lag) => [across(sign * lag), level(pairChange(sign * (lag + 1e-9)))]), colour,
        {width: 0.18, dash});
    for (const [some, radius, colour] of [[pairs, 0.3, grey], [own, 0.45, orange]]) for (const pair of some) {
      pen.beginPath();
      pen.arc(across(pair.lag), level(pair.change), radius, 0, 7);
      pen.fillStyle = colour;
      pen.fill();
    }
    write(pen, "−40", across(-40), middle - 0.5, grey, {align: "center"});
    write(pen, "40", across(40), middle + 1.2, grey, {align: "center"});
    write(pen, "pre first", width - 1, level(-0.6), green, {align: "right", weight: "bold"});
    write(pen, "post first", 1, level(0.6), purple, {weight: "bold"});
    write(pen, "lag: post minus pre (steps)", width / 2, 14.6, grey, {align: "center"});
    const total = {lag: `Δw = all ${pairs.length} pairs`, change: sum(pairs.map(pair => pair.change))};
    [...own, total].forEach((pair, row) => {
      const y = pair == total ? 26 : 16.6 + Math.min(1.4, 8 / own.length) * row, weight = pair == total ? "bold" : "";
      write(pen, pair == total ? pair.lag : `lag ${pair.lag}`.replace("-", "−"), 1, y, ink, {weight});
      write(pen, signed(pair.change), width - 1, y, ink, {weight, align: "right"});
    });
  }
}
