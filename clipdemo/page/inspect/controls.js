// Mode, rule and thresholds of the Inspect tab.

import { button, make } from "../shared/dom.js";
import { decisionControls } from "../shared/decision_controls.js";
import { START, THRESHOLD_RULES } from "../shared/rules.js";
import { MODE_NAMES } from "../shared/text.js";
import { ask, change, recalls, tab } from "./state.js";

// `onRest` is called when a threshold slider is released.
export function controls(onRest) {
  const modeButtons = make("div", { class: "modes", role: "group", "aria-label": "Mode" });
  const deciding = decisionControls(THRESHOLD_RULES, "labels", change);
  for (const field of deciding.fields) field.addEventListener("change", onRest);

  function build() {
    modeButtons.replaceChildren(...tab.state.modes.map((mode) =>
      button(MODE_NAMES[mode], () => ask({ mode }), { "data-mode": mode })));
    deciding.offer(recalls(), tab.state.labels.length);
  }

  function paint() {
    for (const node of modeButtons.children) {
      node.setAttribute("aria-pressed", node.dataset.mode === tab.state.view.mode);
    }
    deciding.show(tab.state.decision);
  }

  const node = make("div", { class: "controls" }, modeButtons, ...deciding.nodes,
    button("Reset", () => change({ ...START, k: tab.state.decision.k })));
  return { node, build, paint };
}
