// Opens a row on the Compare tab, with navigation to its neighbours and back.

import { openTab } from "../shared/gradio.js";
import { page } from "../shared/store.js";
import { fetchMore, refreshRows } from "./rows.js";
import { labelName, tab } from "./state.js";

// Such as "dog, missed" or "any label wrong".
function askedFor(label, outcome) {
  const word = outcome === "error" ? "wrong" : outcome;
  return word && !label ? `any label ${word}` : [label, word].filter(Boolean).join(", ");
}

// `open` opens a row by its index, `back` returns to all rows; `show` has the server open it, and
// `gallery` lends its finding.
export function walker(show, gallery) {
  let place = 0;  // scroll position of the page when the first row was opened

  function open(at) {
    const { rows, total, view, walking } = tab.state;
    if (!rows[at]) return;
    if (walking < 0) place = scrollY;
    tab.set({ walking: at });
    show(rows[at].row);
    const label = labelName();
    const asked = askedFor(label, view.outcome);
    page.set({
      ...(label && { chosen: label }),
      walk: {
        from: "Inspect", text: `${asked && `${asked}: `}${at + 1} of ${total}, ${rows[at].id}`,
        name: rows[at].id.split("/").pop(), first: at === 0, last: at + 1 >= total,
        extra: gallery().lend(at), go,
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
    const left = tab.state.walking;
    tab.set({ walking: -1 });
    gallery().takeBack();
    refreshRows();
    openTab("Inspect");
    requestAnimationFrame(() => {
      gallery().focus(left);
      scrollTo({ top: place });
    });
  }

  // Another photo replaced the opened one: the user has left the rows.
  page.on(["walk"], () => {
    if (page.state.walk || tab.state.walking < 0) return;
    tab.set({ walking: -1 });
    gallery().takeBack();
  });

  return { open, back };
}
