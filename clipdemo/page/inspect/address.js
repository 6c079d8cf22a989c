// The filters and the open row are in the page's address, so that a link, a reload and the
// browser's back and forward restore the view.

import { isTabOpen, openTab } from "../shared/gradio.js";
import { firstCharacters } from "../shared/text.js";
import { NOTHING } from "./confused.js";
import { fetchMore, fetchRows } from "./rows.js";
import { OUTCOME_NAMES, START_VIEW, tab } from "./state.js";

const FLAGS = ["disagree", "suspect", "marked"];
const NUMBERS = ["low", "high"];
const KEYS = ["inspect", "label", "outcome", "instead", "text", "rows", "row", ...FLAGS, ...NUMBERS];
const PAGES = 40;  // of rows that are searched for the open row

// The part after "?": the view and the open row, besides other parameters. `labels`: names.
export function writeView(search, view, row, labels) {
  const kept = new URLSearchParams(search);
  for (const key of KEYS) kept.delete(key);
  if (!view) return kept;
  kept.set("inspect", view.mode);
  if (view.label !== null) kept.set("label", labels[view.label]);
  kept.set("outcome", view.outcome);
  if (view.instead !== null) kept.set("instead", view.instead === NOTHING ? "" : labels[view.instead]);
  if (view.text) kept.set("text", view.text);
  for (const key of FLAGS) if (view[key]) kept.set(key, "1");
  for (const key of NUMBERS) if (view[key] !== START_VIEW[key]) kept.set(key, view[key]);
  if (view.rows) kept.set("rows", view.rows.join("."));
  if (row !== null) kept.set("row", row);
  return kept;
}

// {view, row}, or null if the address, which may be anything, is for another tab.
export function readView(search, { labels, modes, rows }) {
  const kept = new URLSearchParams(search);
  if (!kept.has("inspect")) return null;
  const place = (key) => {
    const found = labels.indexOf(kept.get(key));
    return found < 0 ? null : found;
  };
  const share = (key) => {
    const number = Number(kept.get(key) || NaN);
    return number >= 0 && number <= 1 ? number : START_VIEW[key];
  };
  const rowOf = (text) => (/^\d{1,9}$/.test(text) && Number(text) < rows ? Number(text) : null);
  const chosen = (kept.get("rows") ?? "").split(".").map(rowOf).filter((row) => row !== null);
  const [mode, outcome] = [kept.get("inspect"), kept.get("outcome")];
  const view = {
    ...START_VIEW,
    mode: modes.includes(mode) ? mode : tab.state.start,
    label: place("label"),
    outcome: outcome in OUTCOME_NAMES ? outcome : START_VIEW.outcome,
    instead: kept.get("instead") === "" ? NOTHING : place("instead"),
    text: firstCharacters(kept.get("text"), 200),
    rows: chosen.length ? chosen : null,
    ...Object.fromEntries(FLAGS.map((key) => [key, kept.get(key) === "1"])),
    ...Object.fromEntries(NUMBERS.map((key) => [key, share(key)])),
  };
  return { view, row: rowOf(kept.get("row") ?? "") };
}

// Keeps the address and the view in sync. `walk` opens rows.
export function followAddress(walk) {
  let following = false;
  const typed = ({ text, low, high }) => JSON.stringify([text, low, high]);
  let last = { view: tab.state.view, row: null };

  function write() {
    if (following) return;
    const { rows, walking, labels, view } = tab.state;
    const row = rows[walking]?.row ?? null;
    const here = row !== null || isTabOpen("Inspect");
    const search = `${writeView(location.search, here ? view : null, row, labels)}`;
    if (search === `${new URLSearchParams(location.search)}`) return;
    const sameStep = row !== null && last.row !== null || typed(view) !== typed(last.view);
    last = { view, row };
    const address = `${location.pathname}${search && "?"}${search}${location.hash}`;
    history[sameStep ? "replaceState" : "pushState"](history.state, "", address);
  }

  // The address is not written while the view follows it.
  async function follow() {
    const found = readView(location.search, { ...tab.state, rows: tab.state.about.rows });
    following = true;
    try {
      if (!found) {
        if (isTabOpen("Inspect")) openTab("Compare");
        return;
      }
      last = found;
      if (found.row === null && tab.state.walking >= 0) walk.back();
      if (JSON.stringify(found.view) !== JSON.stringify(tab.state.view)) tab.set({ view: found.view });
      if (found.row !== null) await openRow(found.row);
      else if (!isTabOpen("Inspect")) openTab("Inspect");
    } finally {
      following = false;
    }
  }

  async function openRow(row) {
    const place = () => tab.state.rows.findIndex((entry) => entry.row === row);
    if (place() < 0) await fetchRows();
    for (let page = 0; place() < 0 && tab.state.rows.length < tab.state.total && page < PAGES; page++) {
      await fetchMore();
    }
    if (place() >= 0) walk.open(place());
  }

  tab.on(["view", "walking"], write);
  window.addEventListener("popstate", follow);
  document.addEventListener("click", ({ target }) => {
    if (following || !target.closest?.("[role=tab]")) return;
    setTimeout(() => {
      if (isTabOpen("Inspect") && tab.state.walking >= 0) walk.back();
      write();
    });
  });
  if (new URLSearchParams(location.search).has("inspect")) follow();
  else write();
}
