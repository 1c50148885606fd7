// What every live figure shares: controls, keys, touch, light and dark, a sharp canvas, and words for those who cannot see it.
// A lesson's live.js follows in the same module: its model, and `figure(stage)`, which asks for controls and pictures here.

const LIGHT = {ink: "#1a1a1a", grey: "#666666", faint: "#d0d0d0", paper: "#ffffff", black: "#000000", orange: "#E69F00",
  sky: "#56B4E9", green: "#009E73", blue: "#0072B2", vermillion: "#D55E00", purple: "#CC79A7"};
const DARK = {...LIGHT, ink: "#eeeeee", grey: "#a8a8a8", faint: "#4a4a4a", paper: "#141414", black: "#eeeeee", blue: "#6FBDF0",
  sky: "#3E94C8", green: "#2CC79A", vermillion: "#F07F3C"};
const STYLE = `
.live-stage, .live-stage * { box-sizing: border-box; }
.live-stage { position: relative; max-width: 66em; font: var(--jp-content-font-size1, .875rem)/1.4 system-ui, sans-serif;
  text-align: left; color: inherit; accent-color: #0072B2; }
.live-stage.dark { accent-color: #6FBDF0; }
.live-controls { display: flex; flex-wrap: wrap; gap: .3em 1.6em; align-items: center; margin: 0 0 .4em; }
.live-stage fieldset { display: flex; flex-wrap: wrap; align-items: center; border: 0; margin: 0; padding: 0; min-width: 0; }
.live-stage legend { float: left; padding: 0 .6em 0 0; margin: 0; font: inherit; width: auto; color: inherit; }
.live-stage label { display: flex; align-items: center; gap: .5em; margin: 0; font: inherit; color: inherit; }
.live-slider { flex: 1 1 21em; min-width: min(100%, 17em); }
.live-stage input[type=range] { flex: 1; min-width: 5em; height: 1.9em; margin: 0; touch-action: pan-y; cursor: pointer; }
.live-stage output { min-width: 2.6em; text-align: right; font: inherit; font-variant-numeric: tabular-nums; color: inherit; }
.live-stage fieldset label, .live-stage button { position: relative; border: 1px solid #808080; border-radius: .4em;
  padding: .15em .6em; margin: .1em .25em .1em 0; min-height: 1.9em; cursor: pointer; }
.live-stage fieldset input { position: absolute; inset: 0; opacity: 0; margin: 0; width: 100%; height: 100%; cursor: pointer; }
.live-stage fieldset label:has(:checked) { background: #0072B2; border-color: #0072B2; color: #fff; }
.live-stage button { font: inherit; color: inherit; background: none; min-width: 4.6em; }
.live-stage button:hover { background: #8883; }
.live-stage :is(input[type=range], button, canvas):focus-visible, .live-stage label:has(:focus-visible) {
  outline: 3px solid #E69F00; outline-offset: 2px; }
.live-stage canvas { display: block; width: 100%; max-width: 100%; touch-action: pan-y; }
.live-said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); margin: 0; }`;

const KEYS = /^( |Enter|Arrow.*)$/, digits = step => (String(step).split(".")[1] ?? "").length;
const sum = numbers => numbers.reduce((total, number) => total + number, 0);
let count = Math.random();                                // of names, which no other figure of a page has: it has its own kit

function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (/input|button|canvas/.test(tag)) element.dataset.lmSuppressShortcuts = "true";        // else JupyterLab takes the arrows
  element.append(...children);
  return element;
}

// Put a figure into an element. `data` holds `controls` and `alt` of the explorer, and what the lesson ships.
function show(el, data) {
  const stage = new Stage(el, data);
  figure(stage);
  stage.changed();
  return () => stage.gone.abort();
}

class Stage {
  constructor(el, data) {
    this.data = data;
    this.values = {};                                     // what the controls say now, by name
    this.pictures = [];                                   // {canvas, draw}
    this.gone = new AbortController();
    this.root = made("div", {class: "live-stage", role: "group", "aria-label": data.title, "data-prevent-swipe": ""});
    this.said = made("p", {class: "live-said", role: "status", "aria-live": "polite"});
    this.root.append(made("style", {}, STYLE), this.said);
    el.replaceChildren(this.root);
    this.listen(this.root, "keydown", event => {          // a button's keys are not the page's, too
      if (event.target.matches("button, canvas, [type=radio]") && KEYS.test(event.key)) event.stopPropagation();
    });
    const again = () => this.changed();
    this.watch(new MutationObserver(again), [document.documentElement, document.body],
      {attributes: true, attributeFilter: ["class", "data-theme", "data-jp-theme-light", "style"]});
    this.listen(matchMedia("(prefers-color-scheme: dark)"), "change", again);
    this.listen(window, "resize", again);
    this.watch(this.sizes = new ResizeObserver(again), []);
  }

  listen(target, kind, action, options = {}) {
    target.addEventListener(kind, action, {...options, signal: this.gone.signal});
  }

  watch(observer, targets, options) {
    targets.forEach(target => observer.observe(target, options));
    this.gone.signal.addEventListener("abort", () => observer.disconnect());
  }

  row(...parts) {                                         // parts beside one another, as many as there is room for
    return this.root.insertBefore(made("div", {class: "live-controls"}, ...parts), this.said);
  }

  control(name) {                                         // the slider or the choice that the explorer has by this name
    const spec = this.data.controls[name];
    return spec.options ? this.choice(name, spec) : this.slider(name, spec);
  }

  slider(name, {label, unit = "", low, high, step, start, said = value => value.toFixed(digits(step))}) {
    const id = `live-${++count}`, words = made("span", {id}, unit ? `${label} (${unit})` : label);
    const input = made("input", {type: "range", min: low, max: high, step, value: start, "aria-labelledby": id});
    const shown = made("output", {"aria-hidden": "true"});
    const tell = () => {
      this.values[name] = Number(input.value);
      shown.textContent = said(this.values[name]);
      input.setAttribute("aria-valuetext", `${shown.textContent} ${unit}`.trim());
    };
    this.listen(input, "input", () => { tell(); this.changed(); });
    const set = value => { input.value = value; tell(); this.changed(); };
    tell();
    return Object.assign(made("div", {class: "live-slider"}, made("label", {}, words, input, shown)), {input, set});
  }

  choice(name, {label, options, start}) {
    const group = `live-${++count}`;
    this.values[name] = start;
    return made("fieldset", {}, made("legend", {}, label), ...options.map(option => {
      const input = made("input", {type: "radio", name: group, value: option, autocomplete: "off"});
      input.checked = option == start;
      this.listen(input, "change", () => { this.values[name] = option; this.changed(); });
      return made("label", {}, input, option);
    }));
  }

  button(words, action) {
    const button = made("button", {type: "button"}, words);
    this.listen(button, "click", action);
    return button;
  }

  player(slider, interval) {                              // a button that moves a slider to its end, step by step
    const {input, set} = slider;
    let clock = null;
    const stop = () => { clearInterval(clock); clock = null; button.textContent = "play"; };
    const tick = () => {
      if (input.value == input.max || !this.root.isConnected) return stop();
      set(Number(input.value) + Number(input.step));
    };
    const button = this.button("play", () => {
      if (clock) return stop();
      if (input.value == input.max) set(input.min);
      clock = setInterval(tick, interval);
      button.textContent = "pause";
    });
    this.listen(input, "input", stop);
    this.gone.signal.addEventListener("abort", stop);
    return Object.assign(button, {stop});
  }

  picture(height, alt, draw, where = this.root) {         // `height` letters high; draw(pen, width, height), in letters
    const canvas = made("canvas", {role: "img", "aria-label": alt, style: `height: ${height}em`});
    where.insertBefore(canvas, where == this.root ? this.said : null);
    this.pictures.push({canvas, draw});
    this.sizes.observe(canvas);
    return canvas;
  }

  place(canvas, event) {                                  // where a pointer is on a canvas, in letters
    const box = canvas.getBoundingClientRect(), letter = this.letter * box.width / canvas.clientWidth;
    return [(event.clientX - box.left) / letter, (event.clientY - box.top) / letter];
  }

  say(words) {                                            // to a screen reader, once nothing has moved for a while
    clearTimeout(this.telling);
    this.telling = setTimeout(() => { if (this.said.textContent != words) this.said.textContent = words; }, 500);
  }

  changed() {                                             // draw everything anew, once before the next frame
    this.waiting ??= requestAnimationFrame(() => { this.waiting = null; this.draw(); });
  }

  draw() {
    const style = getComputedStyle(this.root), bright = style.color.match(/[\d.]+/g).slice(0, 3).map(Number);
    this.letter = parseFloat(style.fontSize);
    const dark = Math.max(...bright) > 140;               // light letters stand on a dark page
    this.root.classList.toggle("dark", dark);
    this.colours = dark ? DARK : LIGHT;
    this.update?.();                                      // the lesson's model, once for all pictures
    for (const {canvas, draw} of this.pictures) if (canvas.clientWidth) {
      const zoom = devicePixelRatio * canvas.getBoundingClientRect().width / canvas.clientWidth;
      const [width, height] = [canvas.clientWidth, canvas.clientHeight].map(size => Math.round(size * zoom));
      if (canvas.width != width || canvas.height != height) Object.assign(canvas, {width, height});
      const pen = canvas.getContext("2d"), letter = this.letter * zoom;
      pen.setTransform(letter, 0, 0, letter, 0, 0);       // a unit is the height of a letter, wherever the figure stands
      pen.clearRect(0, 0, width / letter, height / letter);
      draw(pen, width / letter, height / letter);
    }
  }
}

// Write on a canvas and return how wide that was; `size` 1 is that of the page. A font below a pixel would be drawn badly.
function write(pen, words, x, y, colour, {size = 0.92, align = "left", weight = "normal"} = {}) {
  pen.save();
  pen.translate(x, y);
  pen.scale(0.05, 0.05);
  Object.assign(pen, {font: `${weight} ${20 * size}px system-ui, sans-serif`, fillStyle: colour, textAlign: align});
  pen.fillText(words, 0, 0);
  const {width} = pen.measureText(words);
  pen.restore();
  return width / 20;
}

function line(pen, points, colour, {width = 0.1, dash = []} = {}) {
  pen.beginPath();
  points.forEach(([x, y], place) => place ? pen.lineTo(x, y) : pen.moveTo(x, y));
  Object.assign(pen, {strokeStyle: colour, lineWidth: width, lineJoin: "round"});
  pen.setLineDash(dash);
  pen.stroke();
}
