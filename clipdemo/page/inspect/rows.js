// The rows that the filters find.

import { getBlob, getJson } from "./server.js";
import { tab, thresholds } from "./state.js";

const COUNT = 24;  // rows that are fetched at once
let asked = 0;
let later;
let shownAt = "";  // the thresholds that the rows shown were found with

function question() {
  const { modes, view } = tab.state;
  return { ...view, thresholds: Object.fromEntries(modes.map((mode) => [mode, thresholds(mode)])) };
}

// Fetches from a place on; an answer that a newer question overtook is dropped. While somebody walks
// through the rows on the Compare tab they stay as they are.
export async function fetchRows(start = 0) {
  if (!start && tab.state.walking >= 0) return;
  const mine = ++asked;
  const asking = question();
  const answer = await getJson("rows", { ...asking, start, count: COUNT });
  if (mine !== asked) return;
  if (!start && tab.state.walking >= 0) {
    shownAt = "";
    return;
  }
  if (answer.notice) {
    tab.set({ notice: answer.notice });
    return;
  }
  shownAt = JSON.stringify(asking.thresholds);
  const { total, rows, confused } = answer;
  tab.set({ total, rows: start ? [...tab.state.rows, ...rows] : rows, notice: "", ...(!start && { confused }) });
  clearTimeout(later);
  if (answer.judging) later = setTimeout(() => fetchRows(), 1500);  // the doubts are not there yet
}

export function fetchMore() {
  return fetchRows(tab.state.rows.length);
}

// Fetches again where thresholds moved since.
export function refreshRows() {
  if (shownAt !== JSON.stringify(question().thresholds)) fetchRows();
}

export function rowsAsCsv() {
  return getBlob("rows.csv", question());
}
