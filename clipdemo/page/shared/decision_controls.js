// The controls for how scores become decisions; each tab has one set of them.

import { choice, fill, make, scoreSlider } from "./dom.js";

// `what` the decisions are about is part of the labels; `onChange` is called with the changes.
export function decisionControls(rules, what, onChange) {
  const change = (changes) => onChange({ ...changes, own: new Map() });
  const rule = choice({ "aria-label": `Rule for all ${what}` }, rules, (value) => change({ rule: value }));
  const recall = choice({ "aria-label": "Recall that each label reached on validation" }, [],
    (value) => change({ recall: value }));
  const count = make("input", { type: "number", min: 1, value: 3, "aria-label": "k: how many labels" });
  const valid = () => Math.min(Math.max(Math.round(count.value) || 1, 1), Number(count.max));
  count.addEventListener("input", () => onChange({ k: valid() }));
  count.addEventListener("change", () => {
    count.value = valid();
  });
  const slider = scoreSlider({ "aria-label": `Threshold for all ${what}` },
    (threshold) => change({ rule: "fixed", threshold }));
  const number = make("output");

  // Some heads have no thresholds for a recall; the rule is disabled then.
  function offer(recalls, labelCount) {
    const option = rule.querySelector("[value=recall]");
    option.disabled = !recalls.length;
    option.title = recalls.length ? "" : "These heads have no thresholds for a chosen recall.";
    fill(recall, recalls.map((value) => [value, `${Math.round(100 * Number(value))} %`]));
    count.max = labelCount;
  }

  function show(decision) {
    const fixed = decision.rule === "fixed";
    rule.value = decision.rule;
    recall.value = decision.recall;
    recall.hidden = decision.rule !== "recall";
    count.hidden = decision.rule !== "top-k";
    if (document.activeElement !== count) count.value = decision.k;
    slider.value = decision.threshold;
    number.textContent = fixed ? decision.threshold.toFixed(2) : "";
  }

  return {
    fields: [rule, recall, slider],
    nodes: [make("label", {}, "Rule ", rule, recall, count),
      make("label", { class: "threshold" }, "Threshold ", slider, number)],
    offer,
    show,
  };
}
