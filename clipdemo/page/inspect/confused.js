// Confused labels: one is missed and the other wrongly predicted in the same photo.

import { button, make } from "../shared/dom.js";
import { ask, tab } from "./state.js";

export const NOTHING = -1;  // in place of a label, as clipdemo/inspection/queries.py has it

// The query for photos in which `missed` is missed and `predicted` is wrongly predicted.
function whereMissed(missed, predicted) {
  return missed === NOTHING ? { label: predicted, outcome: "false", instead: NOTHING }
    : { label: missed, outcome: "missed", instead: predicted };
}

function whereFalse(missed, predicted) {
  return predicted === NOTHING ? whereMissed(missed, predicted)
    : { label: predicted, outcome: "false", instead: missed };
}

// `toPhotos` is called when the user wants to see the photos.
export function confusedTable(toPhotos) {
  const title = make("summary");
  const body = make("tbody");
  const none = make("p", { class: "hint" }, "None: no label is missed or wrongly predicted.");
  const head = ["missed", "predicted instead", "photos"].map((name) => make("th", { scope: "col" }, name));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), body);
  const node = make("details", { class: "panel confused", open: "" }, title, table, none);
  const name = (label) => (label === NOTHING ? "nothing" : tab.state.labels[label]);

  function row([missed, predicted, photos]) {
    const cell = (text, asked) => {
      const show = () => {
        ask(asked);
        toPhotos();
      };
      const about = `${name(missed)} missed, ${name(predicted)} predicted: ${photos} photos`;
      return button(text, show, { "aria-label": `${text}; ${about}`, title: "Show the photos" });
    };
    const [byMissed, byFalse] = [whereMissed(missed, predicted), whereFalse(missed, predicted)];
    return make("tr", {},
      make("td", {}, cell(name(missed), byMissed)), make("td", {}, cell(name(predicted), byFalse)),
      make("td", {}, cell(String(photos), byMissed)));
  }

  function paint() {
    const { confused, labels, view } = tab.state;
    title.textContent = `Confused with each other: ${view.label === null ? "all labels" : labels[view.label]}`;
    body.replaceChildren(...confused.map(row));
    table.hidden = !confused.length;
    none.hidden = Boolean(confused.length);
  }

  tab.on(["confused"], paint);
  return { node };
}
