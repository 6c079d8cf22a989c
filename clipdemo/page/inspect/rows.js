// The rows that the filters find.

import { getBlob, getJson } from "./server.js";
import { tab, thresholds } from "./state.js";

const COUNT = 24;  // rows per request
const MOST = 96;  // in one answer of the server
const JUDGING = 1500;  // milliseconds between two questions whether the labels in doubt are known
let asked = 0;
let later;  // the next question whether the labels in doubt are known
let shownAt = "";  // the thresholds of the query for the rows shown

function question() {
  const { modes, view } = tab.state;
  const { key } = tab.state.about;
  return { ...view, key, thresholds: Object.fromEntries(modes.map((mode) => [mode, thresholds(mode)])) };
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
  if (answer.judging) later = setTimeout(judge, JUDGING);
}

// Adds the labels in doubt once they are known; the rows stay as they are.
async function judge() {
  const { rows, view, about } = tab.state;
  const { thresholds: cuts } = question();
  const asking = { mode: view.mode, thresholds: cuts, key: about.key, rows: rows.map(({ row }) => row) };
  for (let start = 0; ; start += MOST) {
    const answer = await getJson("rows", { ...asking, start, count: MOST });
    if (answer.lost || answer.judging) {
      clearTimeout(later);
      later = setTimeout(judge, JUDGING);
      return;
    }
    if (!answer.rows?.length) break;
    const suspects = new Map(answer.rows.map((found) => [found.row, found.suspects]));
    for (const entry of rows) entry.suspects = suspects.get(entry.row) ?? entry.suspects;
  }
  tab.set({ judged: true });
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
