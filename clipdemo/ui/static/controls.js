// The board's controls: rule, thresholds, order. Needs dom.js; board.js has the state and paints.

const START = { rule: "tuned", threshold: 0.5, k: 3, sort: "score", hide: false };
const state = { ...START, own: {}, scores: {}, labels: [], zeroShot: [], tuned: {} };

const slider = make("input", {
  type: "range", min: 0, max: 1, step: 0.0001, value: 0.5, "aria-label": "Threshold for all labels",
});
const shown = make("output");
const rule = choice({ id: "rule", "aria-label": "Rule that turns scores into decisions" }, [
  ["tuned", "tuned per label"], ["fixed", "one threshold"], ["mcut", "widest gap (MCut)"],
  ["top-k", "top k"],
]);
const count = make("input", {
  type: "number", min: 1, value: 3, "aria-label": "k: how many labels",
});
const sort = choice({ "aria-label": "Order of the rows" }, [
  ["score", "by score"], ["name", "by name"], ["differ", "by disagreement"],
]);
const hide = make("input", { type: "checkbox" });
const reset = make("button", { type: "button" }, "Reset");
const controls = make("div", { class: "controls" },
  make("label", {}, "Rule ", rule, count),
  make("label", { id: "threshold" }, "Threshold ", slider, shown),
  make("label", {}, "Sort ", sort),
  make("label", {}, hide, "hide what is off"),
  reset);

fineSteps(slider);
slider.addEventListener("input", () => {
  Object.assign(state, { rule: "fixed", threshold: Number(slider.value), own: {} });
  paint();
});
rule.addEventListener("change", () => {
  Object.assign(state, { rule: rule.value, own: {} });
  paint();
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
});

function paintControls() {
  slider.value = state.threshold;
  shown.textContent = state.rule === "fixed" ? state.threshold.toFixed(2) : "–";
  slider.classList.toggle("idle", state.rule !== "fixed");
  count.hidden = state.rule !== "top-k";
  count.max = state.labels.length;
  rule.value = state.rule;
}
