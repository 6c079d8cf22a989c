// The rows that the filters find.

import { getBlob, getJson } from "./server.js";
import { tab, thresholds } from "./state.js";

const COUNT = 24;  // rows per request
let asked = 0;
let later;
let shownAt = "";  // the thresholds of the query for the rows shown

function question() {
  const { modes, view } = tab.state;
  return { ...view, thresholds: Object.fromEntries(modes.map((mode) => [mode, thresholds(mode)])) };
}

// Fetches rows from an index on; answers to outdated requests are dropped. The rows stay as they
// are while the user steps through them on the Compare tab.
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
  if (answer.judging) later = setTimeout(() => fetchRows(), 1500);  // doubtful labels are not known yet
}

export function fetchMore() {
  return fetchRows(tab.state.rows.length);
}

// Fetches again if the thresholds have moved since.
export function refreshRows() {
  if (shownAt !== JSON.stringify(question().thresholds)) fetchRows();
}

export function rowsAsCsv() {
  return getBlob("rows.csv", question());
}
