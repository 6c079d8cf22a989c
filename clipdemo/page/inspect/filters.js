// The filters: what is asked for, as words and fields. All of them count together.

const START_VIEW = {
  mode: "", label: null, outcome: "error", disagree: false, low: 0, high: 1, text: "", suspect: false,
  marked: false, rows: null,
};
const view = { ...START_VIEW };
const OUTCOMES = [
  ["", "any outcome"], ["error", "wrong (false or missed)"], ["missed", "missed"], ["false", "false"],
  ["found", "found"],
];
const labelChoice = choice({ "aria-label": "Label" }, []);
const outcomeChoice = choice({ "aria-label": "Outcome" }, OUTCOMES);
const bound = (name) => make("input", {
  type: "number", min: 0, max: 1, step: 0.05, "aria-label": `${name} score`,
});
const [lowest, highest] = [bound("Lowest"), bound("Highest")];
const words = make("input", { type: "search", maxlength: 200, placeholder: "words in the caption", "aria-label": "Text in the caption" });
const box = (name) => make("input", { type: "checkbox", "data-filter": name });
const [disagree, suspect, marked] = ["disagree", "suspect", "marked"].map(box);
const doubted = make("label", {}, suspect, "label perhaps wrong");
const markedLabel = make("label", {}, marked, "marked");
const chosenRows = make("button", { type: "button", class: "chosen-rows" });
const clearFilters = make("button", { type: "button" }, "Clear filters");
const filters = make("div", { class: "filters" },
  labelChoice, outcomeChoice, words,
  make("label", {}, "score ", lowest, "to", highest),
  make("label", {}, disagree, "modes disagree"), doubted, markedLabel, chosenRows, clearFilters);

const number = (field, otherwise) => {
  const value = field.value === "" ? otherwise : Number(field.value);
  return Math.min(Math.max(Number.isFinite(value) ? value : otherwise, 0), 1);
};
labelChoice.addEventListener("change", () => ask({ label: labelChoice.value === "" ? null : Number(labelChoice.value) }));
outcomeChoice.addEventListener("change", () => ask({ outcome: outcomeChoice.value }));
for (const field of [lowest, highest]) {
  field.addEventListener("change", () => ask({ low: number(lowest, 0), high: number(highest, 1) }));
}
let searching;
words.addEventListener("input", () => {
  clearTimeout(searching);
  searching = setTimeout(() => ask({ text: words.value.trim() }), 250);
});
for (const field of [disagree, suspect, marked]) {
  field.addEventListener("change", () => ask({ [field.dataset.filter]: field.checked }));
}
chosenRows.addEventListener("click", () => ask({ rows: null }));
clearFilters.addEventListener("click", () => ask({ ...START_VIEW, mode: view.mode, outcome: "" }));

function buildFilters() {
  labelChoice.replaceChildren(make("option", { value: "" }, "any label"),
    ...inspected.labels.map((label, i) => make("option", { value: i }, label)));
  const judge = MODE_NAMES[inspected.about.judge].toLowerCase();
  doubted.title = `What the scores of “${judge}” make cleanlab doubt in the table`;
  markedLabel.hidden = !inspected.about.marks;
}

function paintFilters() {
  labelChoice.value = view.label ?? "";
  outcomeChoice.value = view.outcome;
  lowest.value = view.low || "";
  highest.value = view.high === 1 ? "" : view.high;
  if (document.activeElement !== words) words.value = view.text;
  disagree.checked = view.disagree;
  disagree.parentElement.hidden = inspected.modes.length < 2;
  suspect.checked = view.suspect;
  marked.checked = view.marked;
  chosenRows.hidden = !view.rows;
  chosenRows.textContent = view.rows ? `${view.rows.length} chosen on the map ✕` : "";
}
