// Where in the photo a label is seen: a map on the photo, with a slider for its opacity.

import { button, choice, make } from "../shared/dom.js";
import { photoAddress } from "../shared/gradio.js";
import { page } from "../shared/store.js";
import { drawHeat, legendOf } from "./heat.js";
import { overlay } from "./overlay.js";
import { labelChoice, offerModes } from "./question.js";

export function mount({ element, props, watch, trigger }) {
  const label = labelChoice("Label to look for in the photo");
  const mode = choice({ "aria-label": "Mode that looks at the photo" }, [], () => follow());
  const start = button("Show on photo", ask, { class: "start" });
  const stop = button("Cancel", cancel, { class: "stop" });
  const question = make("p", { class: "question" }, "Where is ", label, " in ", mode, start, stop);
  const bar = make("progress");
  const notice = make("p", { role: "status" });
  const heat = make("canvas", { role: "img" });
  const seen = make("i", { class: "seen" });
  const map = overlay(seen, heat);
  const fader = make("input", {
    type: "range", min: 0, max: 1, step: 0.01, value: 0.6, "aria-label": "From the photo to the map",
  });
  const legend = make("p", { class: "legend" });
  const shown = make("div", { class: "shown" },
    make("label", {}, "Photo ", fader, " Map ", button("Hide", clear)), legend);
  let running = false;
  let photo = null;  // address of the photo of the last request
  let asked = { id: 0 };  // {id, label, mode, backbone} of that request

  function ask() {
    if (running) trigger("stop");
    asked = { id: asked.id + 1, label: label.value, mode: mode.value, backbone: page.state.backbone };
    photo = photoAddress();
    run(true);
    trigger("show", asked);
  }

  function cancel() {
    trigger("stop");
    run(false);
    notice.textContent = "Cancelled.";
  }

  function run(on) {
    running = on;
    bar.hidden = stop.hidden = !on;
    start.hidden = on;
    bar.removeAttribute("value");
    if (on) notice.textContent = "";
  }

  function clear() {
    photo = null;
    shown.hidden = true;
    map.remove();
  }

  // A visible map follows the label, the mode, the backbone and the caption.
  function follow(again = false) {
    if (photo === null || (shown.hidden && !running)) return;
    const isOld = asked.label !== label.value || asked.mode !== mode.value
      || asked.backbone !== page.state.backbone;
    if (again || isOld) ask();
  }

  function update(changes) {
    offerModes(mode, page.state.modes.filter((name) => name !== "text"));
    question.classList.toggle("none", !mode.options.length);
    if (photo === photoAddress()) {
      follow("scored" in changes && mode.value !== "image");
      return;
    }
    if (running) trigger("stop");
    run(false);
    clear();
    notice.textContent = "";
  }

  function receive() {
    const { id, done, total, notice: sentence, effects, seen: part, size } = props.value ?? {};
    if (!running || id !== asked.id) return;
    if (total) {
      bar.max = total;
      bar.value = done;
      notice.textContent = `${done} of ${total} covered photos`;
      return;
    }
    run(false);
    notice.textContent = sentence ?? "";
    if (!effects) return clear();
    drawHeat(heat, effects);
    place(part);
    heat.setAttribute("aria-label", `Map of what supports ${props.value.label}`);
    legend.replaceChildren(...legendOf(props.value));
    shown.hidden = false;
    map.put(size);
  }

  function place([left, top, right, bottom]) {
    const percent = (x) => `${100 * x}%`;
    for (const { style } of [heat, seen]) {
      Object.assign(style, {
        left: percent(left), top: percent(top),
        width: percent(right - left), height: percent(bottom - top),
      });
    }
  }

  const fade = () => heat.style.setProperty("--map", fader.value);
  fader.addEventListener("input", fade);
  element.replaceChildren(question, bar, notice, shown);
  fade();
  page.on(["label"], update);
  watch("value", receive);
  run(false);
  clear();
  update({});
}
