// Notebook 08: a neuron unrolled over twelve steps, and each path by which a loss blames a weight. The model, then the picture.

// Potential before its reset, spike, and surrogate h at each step; x [T][I], one weight an input, threshold 1.
export function run(x, weight, beta, recurrent) {
  const mem = [], spk = [];
  x.forEach((now, t) => {
    const input = sum(now.map((one, at) => one * weight[at]));
    mem.push(beta * (mem[t - 1] ?? 0) + input + recurrent * (spk[t - 1] ?? 0) - (spk[t - 1] ?? 0));
    spk.push(mem[t] > 1 ? 1 : 0);
  });
  return {mem, spk, h: mem.map(u => 1 / (1 + (Math.PI * (u - 1)) ** 2))};
}

// The numbers on the arrows from the loss at t back to W[s]: at each step along the membrane, or through a spike.
export function factors(h, beta, after, t, s, spikes) {
  const numbers = [h[t]];
  for (let r = t - 1; r >= s; r--) numbers.push(...spikes.has(r) ? [after, h[r]] : [beta]);
  return numbers;
}
export const product = numbers => numbers.reduce((total, number) => total * number, 1);

// What all paths from the loss at t to each step s carry together: each step back multiplies by beta + after h.
export function blame(h, beta, after, t) {
  const back = Array(h.length).fill(0);
  back[t] = h[t];
  for (let r = t - 1; r >= 0; r--) back[r] = (beta + after * h[r]) * back[r + 1];
  return back;
}

// The gradient [I] of all losses, each of which reaches back over a window of steps, its own included.
function gradient(h, beta, after, {x, error}, window) {
  const total = x[0].map(() => 0);
  error.forEach((wrong, t) => blame(h, beta, after, t).forEach((back, s) => {
    if (t - s < window) x[s].forEach((one, at) => { total[at] += wrong * back * one; });
  }));
  return total;
}

export function model({beta, t, s, truncation, recurrent, reset}, data) {
  const {mem, spk, h} = run(data.x, data.weight, beta, recurrent), after = recurrent - (reset == "attached" ? 1 : 0);
  const [full, cut] = [Infinity, truncation].map(window => gradient(h, beta, after, data, window));
  const dot = (a, b) => sum(a.map((one, at) => one * b[at])), norm = Math.sqrt(dot(cut, cut) / dot(full, full));
  return {mem, spk, h, after, back: blame(h, beta, after, t), norm, cosine: dot(full, cut) / dot(full, full) / norm,
    reached: t >= s && t - s < truncation};
}

const ROWS = {L: 4.4, S: 7.3, U: 11.6, X: 14.7}, NAMES = {L: "loss L", S: "spike S", U: "potential U", X: "input X"};
const MIDDLE = (ROWS.S + ROWS.U) / 2, GRIP = 16.9, BASE = 25.4, TALL = 5.4, T = 12;
const raised = number => String(number).replace(/./g, digit => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);
const short = value => String(Number(value.toPrecision(2))).replace(/-/g, "−");

export function figure(stage) {
  const {values, data} = stage, spikes = new Set();       // the steps whose spike the path goes through
  const sliders = Object.fromEntries(["beta", "recurrent", "t", "s", "truncation"].map(name => [name, stage.control(name)]));
  stage.row(sliders.beta, sliders.recurrent);
  stage.row(sliders.t, sliders.s);
  stage.row(sliders.truncation, stage.control("reset"), stage.button("largest path", () => route(0, T, larger)),
    stage.button("membrane only", () => route(0, T, () => false)));
  const canvas = stage.picture(29, `${data.alt} Left and right arrows choose a step of the path, up leads it through that ` +
    "step's spike, down along the membrane.", draw);
  Object.assign(canvas, {role: "application", tabIndex: 0});
  let found, left, gap, held, at = 3;                     // where step 0 stands, how far apart steps are, what a hand holds
  const across = step => left + gap * step, fence = () => across(Math.max(-0.5, values.t - values.truncation + 0.5));
  const larger = r => Math.abs(found.after * found.h[r]) > values.beta, within = r => values.t - r < values.truncation;

  function route(from, to, through) {
    for (let r = from; r < to; r++) through(r) ? spikes.add(r) : spikes.delete(r);
    stage.changed();
  }
  function under(x, y) {
    if (y < ROWS.L + 1.4) return "t";
    if (Math.abs(y - GRIP) < 0.9 || Math.abs(x - fence()) < 0.4) return "truncation";
    return y > ROWS.U + 1.6 ? "s" : "route";
  }
  for (const kind of ["pointerdown", "pointermove"]) stage.listen(canvas, kind, event => {
    const [x, y] = stage.place(canvas, event), step = (x - left) / gap;
    if (!event.buttons || kind == "pointerdown") held = under(x, y);
    canvas.style.cursor = held == "route" ? "grab" : "ew-resize";
    if (!event.buttons) return;
    canvas.setPointerCapture(event.pointerId);
    if (held != "route") return sliders[held].set(Math.round(held == "truncation" ? values.t - step + 0.5 : step));
    at = Math.max(0, Math.min(T - 1, Math.floor(step + 0.25)));
    route(at, at + 1, () => y < MIDDLE + 0.3);
  });
  stage.listen(canvas, "keydown", event => {
    const move = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: 0, ArrowDown: 0}[event.key];
    if (move == null) return;
    event.preventDefault();                               // the page stays where it is
    at = Math.max(values.s, Math.min(values.t - 1, at + move));
    route(at, at + 1, r => move ? spikes.has(r) : event.key == "ArrowUp");
  });
  ["focus", "blur"].forEach(kind => stage.listen(canvas, kind, () => stage.changed()));

  stage.update = () => {
    const {beta, t, s} = values;
    found = model(values, data);
    found.numbers = factors(found.h, beta, found.after, t, s, spikes);
    found.one = t < s ? 0 : product(found.numbers);
    stage.say(`${told().slice(0, 2).join(". ")}. ${worth()}. ` +
      `Step ${at}: ${spikes.has(at) ? "through the spike" : "along the membrane"}.`);
  };
  const worth = () => `all losses, window K = ${values.truncation}: length ${found.norm.toFixed(2)} of the exact gradient, ` +
    `cosine ${found.cosine.toFixed(2)}`;

  function told() {                                       // the path in numbers, and what there is beside it
    const {t, s, beta, truncation} = values, {h, after, back, one, numbers} = found, terms = [`h[${t}] ${short(h[t])}`];
    if (t < s) return ["no path", "a weight used later cannot have caused an earlier loss"];
    for (let r = t - 1, run = 0; r >= s; r--) {
      run = spikes.has(r) ? 0 : run + 1;
      if (!run) terms.push(`${short(after)} × h[${r}] ${short(h[r])}`);
      else if (r == s || spikes.has(r - 1)) terms.push(`β${run > 1 ? raised(run) : ""} ${short(beta ** run)}`);
    }
    const others = after ? `sum of all paths (${2 ** (t - s)}) from L[${t}] to W[${s}]: ${short(back[s])}`
      : "with V = 0 and a detached reset, no arrow leads from a spike to the next potential: one path is left";
    return [`this path: ${terms.join(" × ")} = ${short(one)}`,
      within(s) ? others : `${t - s} steps back: beyond the window of ${truncation}`,
      `${numbers.map(short).join(" × ")} = ${short(one)}`, `this path: ${short(one)}`];
  }

  function draw(pen, width) {
    const {ink, grey, faint, orange, sky, vermillion, paper, black, blue} = stage.colours, {t, s} = values, wide = width > 46;
    [left, pen.lineCap] = [wide ? 8.2 : 2.4, "round"];
    gap = (width - left - 1.2) / (T - 1);
    const {back, h, after, one} = found, radius = Math.min(0.75, 0.33 * gap), top = Math.max(0.25, one, ...back);
    const kept = back.map((blame, r) => within(r) ? blame : 0), most = Math.max(0.2, ...kept.map(Math.abs));
    const hue = value => value < 0 ? vermillion : sky, place = (r, name) => [across(r), ROWS[name]];
    const disc = ([x, y], size, colour) => line(pen, [[x, y], [x + 0.01, y]], colour, {width: 2 * size});
    const fits = (words, y, style) => write(pen, words.find(each => write(pen, each, 0, 0, "transparent", style) < width) ?? "",
      0, y, ink, style);
    const [first, second, ...shorter] = told();
    fits([first, ...shorter], 1, {weight: "bold"});
    fits([second, second.split(",")[0], second.replace("sum of ", "")], 2.4, {size: 0.92});

    const arrow = (from, to, flow, dash = []) => {        // its width is the blame that runs along it
      line(pen, [from, to], faint, {width: 0.1, dash});
      if (Math.abs(flow) > most / 100) line(pen, [from, to], hue(flow), {width: 0.1 + 0.8 * Math.abs(flow) / most});
    };
    for (let r = 0; r < T; r++) {
      const later = r < t && within(r) ? back[r + 1] : 0, next = place(r + 1, "U");
      if (r < T - 1) arrow(place(r, "U"), next, later * values.beta);
      if (r < T - 1) arrow(place(r, "S"), next, later * after, after ? [] : [0.1, 0.5]);
      arrow(place(r, "U"), place(r, "S"), r == t ? back[t] : later * after * h[r]);
      arrow(place(r, "S"), place(r, "L"), r == t ? back[t] : 0);
      arrow(place(r, "X"), place(r, "U"), kept[r]);
    }
    const path = [place(t, "L"), place(t, "U")];
    for (let r = t - 1; r >= s; r--) path.push(...spikes.has(r) ? [place(r, "S")] : [], place(r, "U"));
    if (t >= s) line(pen, [...path, place(s, "X")], orange, {width: 0.34, dash: within(s) && one ? [] : [0.1, 0.7]});
    for (let r = 0; r < T; r++) {
      for (const name in ROWS) disc(place(r, name), radius, grey), disc(place(r, name), radius - 0.08, paper);
      disc(place(r, "U"), radius * Math.min(1, Math.max(0, found.mem[r])), blue);
      if (found.spk[r]) disc(place(r, "S"), radius, black);
    }
    for (const [r, name] of [[t, "L"], [s, "X"]]) {
      disc(place(r, name), radius * 1.3, orange);
      write(pen, "↔", across(r), ROWS[name] + 0.33, "#000000", {align: "center", weight: "bold"});
    }
    for (const name in ROWS) write(pen, wide ? NAMES[name] : name, 0, ROWS[name] + 0.3, grey);
    for (let r = s; r <= t && wide; r++) {
      const up = spikes.has(r);
      if (r < t && up && gap > 4) write(pen, short(after), across(r + 0.5) + 0.2, MIDDLE - 0.5, ink);
      else if (r < t && !up) write(pen, short(values.beta), across(r + 0.5), ROWS.U + 1.4, ink, {align: "center"});
      if (up || r == t) write(pen, short(h[r]), across(r) + (r < T - 1 ? 0.3 : -0.3), ROWS.U - 1.1, ink,
        {align: r < T - 1 ? "left" : "right"});
    }
    if (canvas.matches(":focus-visible") && at >= s && at < t)
      line(pen, [[across(at), GRIP - 1], [across(at + 1), GRIP - 1]], ink, {width: 0.3});

    line(pen, [[fence(), GRIP], [across(t), GRIP]], grey, {width: 0.12});
    if (within(0) == false) line(pen, [[fence(), ROWS.S], [fence(), BASE]], grey, {width: 0.07, dash: [0.1, 0.4]});
    disc([fence(), GRIP], 0.45, grey);
    write(pen, wide ? "window K" : "K", 0, GRIP + 0.3, grey);
    write(pen, wide ? "all paths" : "all", 0, BASE - TALL / 2, grey);
    const low = Math.min(0, one, ...back), level = value => BASE - TALL * (value - low) / (top - low);
    back.forEach((blame, r) => {
      const bar = [[across(r), level(0)], [across(r), level(blame)]], size = 0.6 * gap;
      pen.lineCap = "butt";
      line(pen, bar, within(r) ? hue(blame) : faint, {width: size});
      const above = level(Math.max(0, blame)) - 0.4;
      if (r <= t && wide) write(pen, short(blame), across(r), above, ink, {align: "center", size: 0.85});
      write(pen, r, across(r), BASE + 1.2, r == s ? ink : grey, {align: "center", weight: r == s ? "bold" : "normal"});
    });
    line(pen, [[across(-0.5), level(0)], [across(T - 0.5), level(0)]], grey, {width: 0.06});
    if (t >= s) line(pen, [[across(s - 0.4), level(one)], [across(s + 0.4), level(one)]], orange, {width: 0.3});
    fits([worth(), worth().replace("all losses, ", "").replace(" of the exact gradient", "")], BASE + 3, {size: 0.92});
  }
}
