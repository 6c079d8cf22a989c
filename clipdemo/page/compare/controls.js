// The board's controls: rule, thresholds, order. Needs dom.js; board.js has the state and paints.

const START = { rule: "tuned", threshold: 0.5, recall: "0.90", k: 3, sort: "score", hide: false };
const state = { ...START, own: {}, scores: {}, labels: [], zeroShot: [], tuned: {}, recalls: {} };

const slider = make("input", {
  type: "range", min: 0, max: 1, step: 0.0001, value: 0.5, "aria-label": "Threshold for all labels",
});
const shown = make("output");
const rule = choice({ id: "rule", "aria-label": "Rule that turns scores into decisions" }, RULES);
const recall = choice({ id: "recall", "aria-label": "Recall that each label reached on validation" }, []);
const count = make("input", {
  type: "number", min: 1, value: 3, "aria-label": "k: how many labels",
});
const sort = choice({ id: "sort", "aria-label": "Order of the rows" }, [
  ["score", "by score"], ["name", "by name"], ["differ", "by disagreement"],
]);
const hide = make("input", { type: "checkbox" });
const reset = make("button", { type: "button" }, "Reset");
const ownTold = make("span", { class: "own-told" });
const controls = make("div", { class: "controls" },
  make("label", {}, "Rule ", rule, recall, count),
  make("label", { id: "threshold" }, "Threshold ", slider, shown),
  make("label", {}, "Sort ", sort),
  make("label", {}, hide, "hide what is off"),
  reset, ownTold);

fineSteps(slider);
slider.addEventListener("input", () => {
  Object.assign(state, { rule: "fixed", threshold: Number(slider.value), own: {} });
  paint();
  announce();
});
rule.addEventListener("change", () => {
  Object.assign(state, { rule: rule.value, own: {} });
  paint();
  announce();
});
recall.addEventListener("change", () => {
  Object.assign(state, { recall: recall.value, own: {} });
  paint();
  announce();
});
count.addEventListener("input", () => {
  state.k = Math.min(Math.max(Math.round(Number(count.value)) || 1, 1), state.labels.length);
  paint();
});
sort.addEventListener("change", () => {
  state.sort = sort.value;
  arrange();
});
hide.addEventListener("change", () => {
  state.hide = hide.checked;
  paint();
});
reset.addEventListener("click", () => {
  Object.assign(state, START, { own: {} });
  sort.value = state.sort;
  hide.checked = state.hide;
  count.value = state.k;
  arrange();
  paint();
  announce();
});

// The Inspect tab has the same thresholds: whoever changes them tells the other.
function announce() {
  const own = Object.fromEntries(Object.entries(state.own).map(([i, value]) => [state.labels[i], value]));
  const { rule, threshold, recall } = state;
  document.dispatchEvent(new CustomEvent("clipdemo-thresholds", {
    detail: { rule, threshold, recall, own, from: "board" },
  }));
}
document.addEventListener("clipdemo-thresholds-wanted", announce);
document.addEventListener("clipdemo-thresholds", ({ detail }) => {
  if (detail.from === "board") return;
  const own = Object.entries(detail.own).map(([label, value]) => [state.labels.indexOf(label), value]);
  const { rule, threshold, recall, k = state.k } = detail;
  Object.assign(state, { rule, threshold, recall, k, own: Object.fromEntries(own.filter(([i]) => i >= 0)) });
  count.value = k;
  paint();
});

// Some heads have no thresholds for a recall; the rule cannot be chosen then.
function offerRecalls() {
  const [first = {}, ...others] = Object.values(state.recalls);
  const known = Object.keys(first).filter((key) => others.every((mode) => key in mode)).sort();
  const option = rule.querySelector("[value=recall]");
  option.disabled = !known.length;
  option.title = known.length ? "" : "These heads have no thresholds for a chosen recall.";
  recall.replaceChildren(...known.map((value) =>
    make("option", { value }, `${Math.round(100 * Number(value))} %`)));
  if (!known.length && state.rule === "recall") state.rule = START.rule;
  if (!known.includes(state.recall)) state.recall = known.at(-1) ?? START.recall;
}

function paintControls() {
  const own = Object.keys(state.own).map((i) => state.labels[i]);
  ownTold.textContent = own.length > 2 ? `${own.length} labels have their own threshold`
    : own.length ? `own threshold: ${own.join(", ")}` : "";
  slider.value = state.threshold;
  shown.textContent = state.rule === "fixed" ? state.threshold.toFixed(2) : "–";
  slider.classList.toggle("idle", state.rule !== "fixed");
  count.hidden = state.rule !== "top-k";
  recall.hidden = state.rule !== "recall";
  recall.value = state.recall;
  count.max = state.labels.length;
  rule.value = state.rule;
}
