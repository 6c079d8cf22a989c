// Mode, rule and thresholds of the Inspect tab. The board's and these are the same: whoever changes
// them tells the other by the event `clipdemo-thresholds`.

const MODE_NAMES = { image: "Photo", text: "Caption", concat: "Both", mutan: "MUTAN" };
const cuts = { rule: "tuned", threshold: 0.5, recall: "0.90", own: {} };
const modeButtons = make("div", { class: "modes", role: "group", "aria-label": "Mode" });
const cutRule = choice({ "aria-label": "Rule that turns scores into decisions" }, [
  ["tuned", "tuned per label"], ["fixed", "one threshold"], ["recall", "chosen recall"],
]);
const cutRecall = choice({ "aria-label": "Recall that each label reached on validation" }, []);
const cutSlider = make("input", {
  type: "range", min: 0, max: 1, step: 0.0001, "aria-label": "Threshold for all labels",
});
const cutShown = make("output");
const cutReset = make("button", { type: "button" }, "Reset");
const cutControls = make("div", { class: "controls" }, modeButtons,
  make("label", {}, "Rule ", cutRule, cutRecall),
  make("label", { class: "threshold" }, "Threshold ", cutSlider, cutShown), cutReset);

fineSteps(cutSlider);
cutSlider.addEventListener("input", () => change({ rule: "fixed", threshold: Number(cutSlider.value), own: {} }));
cutRule.addEventListener("change", () => change({ rule: cutRule.value, own: {} }));
cutRecall.addEventListener("change", () => change({ recall: cutRecall.value, own: {} }));
// Rows of the table move when a threshold is let go, not under the hand.
for (const field of [cutSlider, cutRule, cutRecall]) field.addEventListener("change", () => arrangeTable());
cutReset.addEventListener("click", () => change({ rule: "tuned", threshold: 0.5, own: {} }));

function change(changed) {
  Object.assign(cuts, changed);
  document.dispatchEvent(new CustomEvent("clipdemo-thresholds", { detail: { ...cuts, from: "inspect" } }));
  thresholdsMoved();
}
document.addEventListener("clipdemo-thresholds", ({ detail }) => {
  // A rule that looks at a photo's scores together has no threshold to follow.
  if (detail.from === "inspect" || !["tuned", "fixed", "recall"].includes(detail.rule)) return;
  const { rule, threshold, recall, own } = detail;
  Object.assign(cuts, { rule, threshold, recall: recalls().includes(recall) ? recall : cuts.recall, own });
  if (inspected.about) thresholdsMoved();
});

function recalls() {
  const [first = {}, ...others] = Object.values(inspected.about?.modes ?? {}).map((mode) => mode.recall);
  return Object.keys(first).filter((key) => others.every((known) => key in known)).sort();
}

// A label may be called anything, such as constructor.
function ownOf(label) {
  return Object.hasOwn(cuts.own, label) ? cuts.own[label] : undefined;
}

// A mode's thresholds in the order of the labels.
function thresholdsOf(mode) {
  const { thresholds, recall } = inspected.about.modes[mode];
  const kept = cuts.rule === "recall" ? recall[cuts.recall] ?? thresholds : thresholds;
  return inspected.labels.map((label, i) =>
    ownOf(label) ?? (cuts.rule === "fixed" ? cuts.threshold : kept[i]));
}

function buildControls() {
  modeButtons.replaceChildren(...inspected.modes.map((mode) => {
    const button = make("button", { type: "button", "data-mode": mode }, MODE_NAMES[mode]);
    button.addEventListener("click", () => ask({ mode }));
    return button;
  }));
  cutRecall.replaceChildren(...recalls().map((value) =>
    make("option", { value }, `${Math.round(100 * Number(value))} %`)));
  cutRule.querySelector("[value=recall]").disabled = !recalls().length;
}

function paintCuts() {
  for (const button of modeButtons.children) button.setAttribute("aria-pressed", button.dataset.mode === view.mode);
  cutRule.value = cuts.rule;
  cutRecall.value = cuts.recall;
  cutRecall.hidden = cuts.rule !== "recall";
  cutSlider.value = cuts.threshold;
  cutSlider.classList.toggle("idle", cuts.rule !== "fixed");
  cutShown.textContent = cuts.rule === "fixed" ? cuts.threshold.toFixed(2) : "–";
}
