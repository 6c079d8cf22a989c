// The table of figures: a row per label at the current thresholds; a click on a figure shows the
// photos behind it.

import { button, make } from "../shared/dom.js";
import { figuresOf, overall } from "./counts.js";
import { ask, tab, thresholds } from "./state.js";

// Key, title, description, and the outcome of the photos behind it.
const COLUMNS = [
  ["support", "true", "Rows that have the label"],
  ["found", "found", "True and predicted", "found"],
  ["wrong", "false", "Predicted, but not true", "false"],
  ["missed", "missed", "True, but not predicted", "missed"],
  ["precision", "precision", "Share of the predictions that are true", "false"],
  ["recall", "recall", "Share of the true labels that are predicted", "missed"],
  ["f1", "F1", "Harmonic mean of precision and recall", "error"],
  ["ap", "AP", "Average precision, over all thresholds", "error"],
];
const COUNTS = ["support", "found", "wrong", "missed"];

function textOf(key, value) {
  if (value === null) return "–";
  return COUNTS.includes(key) ? String(value) : value.toFixed(2);
}

// `toPhotos` is called when the user wants to see the photos behind a figure.
export function figureTable(toPhotos) {
  const sorting = { key: "f1", up: true };
  const head = make("tr");
  const body = make("tbody");
  const node = make("div", { class: "figures", tabindex: 0 },
    make("table", {}, make("thead", {}, head), body));
  let rows = [];  // of all labels together, then of each

  function build() {
    const columns = [["label", "label", "Name of the label"], ...COLUMNS];
    head.replaceChildren(...columns.map(([key, title, hint]) =>
      make("th", { scope: "col", "data-key": key },
        button(title, () => sortBy(key), { title: `${hint}; click to sort` }))));
    rows = [null, ...tab.state.labels.keys()].map(buildRow);
    paint();
    arrange();
  }

  function buildRow(label) {
    const name = label === null ? "" : tab.state.labels[label];
    const cells = COLUMNS.map(([key, title, hint, outcome]) => {
      const show = () => {
        ask({ label, outcome });
        toPhotos();
      };
      const inner = outcome ? button("", show, { title: `${hint}: show the photos` }) : make("span");
      return { key, inner, cell: make("td", { "data-figure": key }, inner) };
    });
    const row = make("tr", { "data-label": name },
      make("th", { scope: "row" }, button(name || "all labels", () => ask({ label }), { class: "name" })),
      ...cells.map(({ cell }) => cell));
    row.classList.toggle("all", label === null);
    return { label, name, row, cells, figures: {} };
  }

  function paint() {
    const { modes, counts, view, decision } = tab.state;
    const entries = counts[modes.indexOf(view.mode)];
    const cuts = thresholds(view.mode);
    const [all, ...labels] = rows;
    for (const row of labels) row.figures = figuresOf(entries[row.label], cuts[row.label]);
    all.figures = overall(labels.map(({ figures }) => figures));
    for (const { label, name, row, cells, figures } of rows) {
      row.classList.toggle("chosen", label === view.label);
      row.classList.toggle("moved", label !== null && decision.own.has(name));
      for (const { key, inner } of cells) {
        const text = textOf(key, figures[key]);
        if (inner.textContent !== text) inner.textContent = text;
      }
    }
  }

  function sortBy(key) {
    sorting.up = key === sorting.key ? !sorting.up : key === "label";
    sorting.key = key;
    arrange();
  }

  // In the chosen order; dragging a threshold moves no row.
  function arrange() {
    const [all, ...labels] = rows;
    const { key, up } = sorting;
    const compare = (a, b) => (key === "label" ? a.name.localeCompare(b.name)
      : (a.figures[key] ?? -1) - (b.figures[key] ?? -1));
    labels.sort((a, b) => (up ? compare(a, b) : compare(b, a)));
    for (const cell of head.children) {
      const order = up ? "ascending" : "descending";
      cell.setAttribute("aria-sort", cell.dataset.key === key ? order : "none");
    }
    body.replaceChildren(all.row, ...labels.map(({ row }) => row));
  }

  return { node, build, paint, arrange };
}
