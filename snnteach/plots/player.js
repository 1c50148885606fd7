// Every film and sweep on the page that does not move yet learns to. Each brings this script along: it may run many times.
document.querySelectorAll(".player:not(.moves)").forEach(player => {
  const {pictures, labels, interval} = JSON.parse(player.querySelector("script").textContent);
  const [label, image, slider] = [".player-label", "img", "input"].map(part => player.querySelector(part));
  const [back, play, forward] = player.querySelectorAll("button");
  const last = labels.length - 1;
  let clock = null;                                                    // ticks while a film plays
  let fresh;                                                           // a film opens on a telling frame, and plays from the first

  const shown = () => Number(slider.value);

  function show(frame) {
    fresh = false;
    slider.value = frame;
    slider.setAttribute("aria-valuetext", labels[frame]);
    label.textContent = labels[frame];
    image.src = pictures[frame];
  }

  function pause() {
    clearInterval(clock);
    clock = null;
    play.textContent = "play";
  }

  function start() {
    if (fresh || shown() == last) show(0);
    clock = setInterval(() => shown() < last ? show(shown() + 1) : pause(), interval);
    play.textContent = "pause";
  }

  function step(frames) {
    pause();
    show(Math.min(Math.max(shown() + frames, 0), last));
  }

  pictures.splice(slider.defaultValue, 0, image.src);                  // the one that stands on the page already
  show(slider.defaultValue);
  player.classList.add("moves");
  fresh = true;
  slider.addEventListener("input", () => {
    if (clock) pause();
    show(shown());
  });
  if (interval) {
    back.addEventListener("click", () => step(-1));
    play.addEventListener("click", () => clock ? pause() : start());
    forward.addEventListener("click", () => step(1));
  }
  player.addEventListener("keydown", event => {                        // a button's keys are not the page's, too
    if (event.target.matches("button") && [" ", "Enter"].includes(event.key)) event.stopPropagation();
  });
});
