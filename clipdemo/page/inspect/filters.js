// The filters: what is asked for, as words and fields. All of them count together.

import { button, choice, fill, make, settled } from "../shared/dom.js";
import { modeName } from "../shared/text.js";
import { START_VIEW, ask, tab } from "./state.js";

const OUTCOMES = [
  ["", "any outcome"], ["error", "wrong (false or missed)"], ["missed", "missed"], ["false", "false"],
  ["found", "found"],
];
const FLAGS = { disagree: "modes disagree", suspect: "label perhaps wrong", marked: "marked" };

function score(field, otherwise) {
  return field.value === "" ? otherwise : Math.min(Math.max(Number(field.value), 0), 1);
}

export function filters() {
  const label = choice({ "aria-label": "Label" }, [],
    (value) => ask({ label: value === "" ? null : Number(value) }));
  const outcome = choice({ "aria-label": "Outcome" }, OUTCOMES, (value) => ask({ outcome: value }));
  const words = make("input", {
    type: "search", maxlength: 200, placeholder: "words in the caption", "aria-label": "Text in the caption",
  });
  words.addEventListener("input", settled(() => ask({ text: words.value.trim() }), 250));
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
  const instead = button("", () => ask({ instead: null }), { class: "chosen-rows" });
  const clear = button("Clear filters",
    () => ask({ ...START_VIEW, mode: tab.state.view.mode, outcome: "" }));
  const node = make("div", { class: "filters" }, label, outcome, words,
    make("label", {}, "score ", lowest, "to", highest), ...flags.map((flag) => flag.node), instead, chosen, clear);

  function build() {
    const { labels, modes, about } = tab.state;
    const [disagree, suspect, marked] = flags;
    fill(label, [["", "any label"], ...labels.map((name, i) => [i, name])]);
    disagree.node.hidden = modes.length < 2;
    suspect.node.title = `What the scores of “${modeName(about.judge)}” make cleanlab doubt in the table`;
    marked.node.hidden = !about.marks;
  }

  function paint() {
    const { labels, view } = tab.state;
    label.value = view.label ?? "";
    outcome.value = view.outcome;
    lowest.value = view.low || "";
    highest.value = view.high === 1 ? "" : view.high;
    if (document.activeElement !== words) words.value = view.text;
    for (const { key, box } of flags) box.checked = view[key];
    instead.hidden = view.instead === null;
    instead.textContent = view.instead === null ? ""
      : `${labels[view.instead]} ${view.outcome === "false" ? "missed" : "wrongly predicted"} ✕`;
    chosen.hidden = !view.rows;
    chosen.textContent = view.rows ? `${view.rows.length} chosen on the map ✕` : "";
  }

  return { node, build, paint };
}
