// Where in the photo a label is seen: a map over the photo, with a fader between the two.
// Runs as gr.HTML's js_on_load behind dom.js.

const TITLES = { image: "photo", concat: "both", mutan: "MUTAN" };
const label = choice({ "aria-label": "Label to look for in the photo" }, []);
const mode = choice({ "aria-label": "Mode that looks at the photo" }, []);
const start = make("button", { type: "button", class: "start" }, "Show");
const stop = make("button", { type: "button", class: "stop" }, "Cancel");
const asked = make("p", { class: "asked" }, "Where is ", label, " by ", mode, start, stop);
const bar = make("progress");
const notice = make("p", { role: "status" });
const picture = make("img", { alt: "The photo under the map" });
const heat = make("canvas", { role: "img" });
const part = make("i", { class: "seen" });
const stage = make("div", { class: "stage" }, picture, part, heat);
const fader = make("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0.6, "aria-label": "From the photo to the map" });
const legend = make("p", { class: "legend" });
const shown = make("div", { class: "shown" }, stage,
  make("label", {}, "Photo ", fader, " Map"), legend);
let running = false;
let about = null;  // the photo that the map shown is of, as the page has it
let wanted = null;  // what was asked for last

function pictureNow() {
  return document.querySelector("#photo img")?.src ?? null;
}

function ask() {
  wanted = { label: label.value, mode: mode.value };
  about = pictureNow();
  run(true);
  trigger("show", wanted);
}

function run(on) {
  running = on;
  bar.hidden = stop.hidden = !on;
  start.hidden = on;
  if (on) {
    bar.removeAttribute("value");
    notice.textContent = "";
  }
}

function clear() {
  about = null;
  shown.hidden = true;
}

start.addEventListener("click", ask);
stop.addEventListener("click", () => {
  trigger("stop");
  run(false);
  notice.textContent = "Cancelled.";
});
label.addEventListener("change", () => {
  document.dispatchEvent(new CustomEvent("clipdemo-choose", { detail: { label: label.value } }));
});
mode.addEventListener("change", follow);
fader.addEventListener("input", () => element.style.setProperty("--map", fader.value));

document.addEventListener("clipdemo-label", ({ detail }) => {
  label.replaceChildren(...detail.labels.map((name) => make("option", { value: name }, name)));
  label.value = detail.label ?? "";
  const modes = Object.keys(TITLES).filter((m) => detail.modes.includes(m));
  const now = modes.includes(mode.value) ? mode.value : modes[0];
  mode.replaceChildren(...modes.map((m) => make("option", { value: m }, TITLES[m])));
  if (now) mode.value = now;
  asked.classList.toggle("none", !modes.length);
  if (about !== pictureNow()) {
    if (running) trigger("stop");
    run(false);
    clear();
    notice.textContent = "";
  } else follow(detail.fresh && mode.value !== "image");
});

// A map that is shown follows the label, the mode and the caption: that takes no encoding.
function follow(again = false) {
  if (about === null || (shown.hidden && !running)) return;
  if (again || wanted.label !== label.value || wanted.mode !== mode.value) ask();
}

function receive() {
  const { done, total, notice: said, effects, seen, score, photo } = props.value ?? {};
  if (!running) return;
  if (total) {
    bar.max = total;
    bar.value = done;
    notice.textContent = `${done} of ${total} covered photos`;
    return;
  }
  run(false);
  notice.textContent = said ?? "";
  if (!effects) return clear();
  picture.src = photo;
  paint(effects, seen, props.value.label, props.value.mode, score);
  shown.hidden = false;
  shown.scrollIntoView({ block: "nearest" });
}

const WEAK = 0.1;  // of a score; what is below is not painted as if it were much

function paint(effects, [left, top, right, bottom], name, read, score) {
  const largest = Math.max(...effects.flat().map(Math.abs));
  const most = Math.max(WEAK, largest);
  [heat.height, heat.width] = [effects.length, effects[0].length];
  const brush = heat.getContext("2d");
  const pixels = brush.createImageData(heat.width, heat.height);
  effects.flat().forEach((effect, i) => {
    const strength = Math.min(Math.abs(effect) / most, 1);
    const [from, to] = [[38, 42, 52], effect < 0 ? [64, 156, 255] : [255, 128, 0]];
    pixels.data.set([...from.map((c, j) => c + (to[j] - c) * strength), 255], 4 * i);
  });
  brush.putImageData(pixels, 0, 0);
  const percent = (x) => `${100 * x}%`;
  for (const { style } of [heat, part]) {
    Object.assign(style, { left: percent(left), top: percent(top),
      width: percent(right - left), height: percent(bottom - top) });
  }
  heat.setAttribute("aria-label", `Map of what carries ${name}`);
  const scale = make("span", { class: "scale" });
  legend.replaceChildren(`speaks against ${signed(-most)}`, scale, `${signed(most)} supports`,
    make("br"), largest < WEAK ? "No part of the photo matters much here. " : "", `${name} by ${TITLES[read]}: ${score.toFixed(2)}. The colour says how much of it goes when that`
    + ` part is covered.${Math.max(left, top) > 0.005 ? " The model does not see the dark part." : ""}`);
}

element.replaceChildren(asked, bar, notice, shown);
element.style.setProperty("--map", fader.value);
run(false);
clear();
watch("value", receive);
document.dispatchEvent(new CustomEvent("clipdemo-choose", { detail: {} }));
