// The state that the parts of the Inspect tab share.

import { START, THRESHOLD_RULES, commonRecalls, thresholdsOf, usable } from "../shared/rules.js";
import { createStore, page } from "../shared/store.js";

export const OUTCOME_NAMES = {
  "": "any outcome", error: "wrong (false or missed)", missed: "missed", false: "false", found: "found",
};

export const START_VIEW = {
  mode: "", label: null, outcome: "error", instead: null, disagree: false, low: 0, high: 1, text: "", suspect: false,
  marked: false, rows: null,
};

//   about: the table, from /inspect/state; labels, modes: their names;
//   counts: how many scores are at or above each step, see counts.js;
//   view: the filters; `label` is an index, null for all labels;
//   decision: the page's, if its rule has thresholds;
//   total, rows: the number of rows found, and those fetched so far; notice: why there are none;
//   confused: [missed label, label predicted instead, photos], see confused.js;
//   start: the mode that is shown first;
//   walking: index of the row that is open on the Compare tab, else -1;
//   judged: set once the labels in doubt are known.
export const tab = createStore({
  about: null, labels: [], modes: [], counts: [], view: { ...START_VIEW }, decision: START,
  total: 0, rows: [], notice: "", confused: [], start: "", walking: -1, judged: false,
});

// The label predicted instead is reset along with the label or the outcome.
export function ask(changes) {
  const other = "label" in changes || "outcome" in changes;
  tab.set({ view: { ...tab.state.view, ...(other && { instead: null }), ...changes } });
}

export function change(changes) {
  page.set({ decision: { ...tab.state.decision, ...changes } });
}

export function recalls() {
  return commonRecalls(Object.values(tab.state.about.modes).map(({ recall }) => recall));
}

// Rules that look at all scores of a photo together have no threshold to follow.
export function followPage() {
  const { decision } = page.state;
  if (!tab.state.about || !THRESHOLD_RULES.some(([name]) => name === decision.rule)) return;
  tab.set({ decision: usable(decision, recalls()) });
}

// A mode's thresholds in the order of the labels.
export function thresholds(mode) {
  const { about, labels, decision } = tab.state;
  return thresholdsOf(labels, decision, about.modes[mode].thresholds, about.modes[mode].recall);
}

// Name of the chosen label; "" for all labels.
export function labelName() {
  const { labels, view } = tab.state;
  return view.label === null ? "" : labels[view.label];
}
