// A row on the Compare tab, and from there to its neighbours and back, also by keys.

import { openTab } from "../shared/gradio.js";
import { page } from "../shared/store.js";
import { fetchMore, refreshRows } from "./rows.js";
import { labelName, tab } from "./state.js";

const HELP = "Keys: j next, k previous, Esc back.";
const MARK_HELP = "Keys: j next, k previous, l label wrong, m model wrong, u undo, Esc back.";

// Returns what opens a row by its place; `show` has the server open it, `gallery` lends its finding.
export function walker(show, gallery) {
  let place = 0;  // of the page, when the first one was opened
  const marked = [];  // by keys: {at: place of the row, before: the finding it had}

  function open(at) {
    const { rows, total, view, walking } = tab.state;
    if (!rows[at]) return;
    if (walking < 0) place = scrollY;
    tab.set({ walking: at });
    show(rows[at].row);
    const label = labelName();
    const asked = [label, view.outcome].filter(Boolean).join(", ");
    page.set({
      ...(label && { chosen: label }),
      walk: {
        from: "Inspect", text: `${asked && `${asked}: `}${at + 1} of ${total}, ${rows[at].id}`,
        name: rows[at].id.split("/").pop(), first: at === 0, last: at + 1 >= total,
        extra: gallery().lend(at), go, help: tab.state.about.marks ? MARK_HELP : HELP,
      },
    });
    openTab("Compare");
    scrollTo({ top: 0 });
  }

  async function go(where) {
    if (where === "back") return back();
    const { rows, total, walking } = tab.state;
    if (walking + where >= rows.length && walking + where < total) await fetchMore();
    open(walking + where);
  }

  function back() {
    tab.set({ walking: -1 });
    gallery().takeBack();
    refreshRows();
    openTab("Inspect");
    requestAnimationFrame(() => scrollTo({ top: place }));
  }

  function mark(finding) {
    const field = document.querySelector("#walk .mark select");
    if (!field) return;
    marked.push({ at: tab.state.walking, before: field.value });
    choose(field, finding);
    if (tab.state.walking + 1 < tab.state.total) go(1);
  }

  function undo() {
    const last = marked.pop();
    if (!last) return;
    open(last.at);
    choose(document.querySelector("#walk .mark select"), last.before);
  }

  const keys = {
    j: () => go(1), k: () => go(-1), l: () => mark("label wrong"), m: () => mark("model wrong"), u: undo,
    Escape: back,
  };
  document.addEventListener("keydown", (event) => {
    const isShown = document.querySelector("#walk .walk")?.checkVisibility();
    const isTyping = event.target.closest("input:not([type=range]), textarea, select");
    if (tab.state.walking < 0 || !isShown || isTyping) return;
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });

  return open;
}

function choose(field, value) {
  field.value = value;
  field.dispatchEvent(new Event("change"));
}
