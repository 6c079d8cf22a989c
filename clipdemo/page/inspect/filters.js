// The filters, as words and fields; a row must match all of them.

import { button, choice, fill, make, debounced } from "../shared/dom.js";
import { modeName } from "../shared/text.js";
import { NOTHING } from "./confused.js";
import { OUTCOME_NAMES, START_VIEW, ask, tab } from "./state.js";

const FLAGS = { disagree: "modes disagree", suspect: "label may be wrong", marked: "marked" };

function score(field, otherwise) {
  return field.value === "" ? otherwise : Math.min(Math.max(Number(field.value), 0), 1);
}

export function filters() {
  const label = choice({ "aria-label": "Label" }, [],
    (value) => ask({ label: value === "" ? null : Number(value) }));
  const outcome = choice({ "aria-label": "Outcome" }, Object.entries(OUTCOME_NAMES), (value) => ask({ outcome: value }));
  const words = make("input", {
    type: "search", maxlength: 200, placeholder: "words in the caption", "aria-label": "Text in the caption",
  });
  words.addEventListener("input", debounced(() => ask({ text: words.value.trim() }), 250));
  const [lowest, highest] = ["Lowest", "Highest"].map((name) => {
    const field = make("input", { type: "number", min: 0, max: 1, step: 0.05, "aria-label": `${name} score` });
    field.addEventListener("change", () => ask({ low: score(lowest, 0), high: score(highest, 1) }));
    return field;
  });
  const flags = Object.entries(FLAGS).map(([key, text]) => {
    const box = make("input", { type: "checkbox" });
    box.addEventListener("change", () => ask({ [key]: box.checked }));
    return { key, box, node: make("label", {}, box, text) };
  });
  const chosen = button("", () => ask({ rows: null }), { class: "chosen-rows" });
  const instead = button("", () => ask({ instead: null }), { class: "instead" });
  const clear = button("Clear filters",
    () => ask({ ...START_VIEW, mode: tab.state.view.mode, outcome: "" }));
  const node = make("div", { class: "filters" }, label, outcome, words,
    make("label", {}, "score ", lowest, "to", highest), ...flags.map((flag) => flag.node), instead, chosen, clear);

  function build() {
    const { labels, modes, about } = tab.state;
    const [disagree, suspect, marked] = flags;
    fill(label, [["", "any label"], ...labels.map((name, i) => [i, name])]);
    disagree.node.hidden = modes.length < 2;
    suspect.node.title = `Likely annotation errors, found by cleanlab from the ${modeName(about.judge)} scores`;
    marked.node.hidden = !about.owner;
  }

  function paint() {
    const { view, labels } = tab.state;
    label.value = view.label ?? "";
    outcome.value = view.outcome;
    lowest.value = view.low || "";
    highest.value = view.high === 1 ? "" : view.high;
    if (document.activeElement !== words) words.value = view.text;
    for (const { key, box } of flags) box.checked = view[key];
    instead.hidden = view.instead === null;
    const other = view.instead === NOTHING ? "nothing" : labels[view.instead];
    instead.textContent = `${view.outcome === "missed" ? "predicted" : "missed"} instead: ${other} ✕`;
    chosen.hidden = !view.rows;
    chosen.textContent = view.rows ? `${view.rows.length} selected on the map ✕` : "";
  }

  return { node, build, paint };
}
