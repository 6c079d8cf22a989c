// The table of figures: a row per label at the current thresholds; a click on a figure shows the
// photos behind it.

const COLUMNS = [
  ["support", "true", "Rows that have the label"],
  ["found", "found", "True and predicted", "found"],
  ["wrong", "false", "Predicted, but not true", "false"],
  ["missed", "missed", "True, but not predicted", "missed"],
  ["precision", "precision", "Share of the predicted that is true", "false"],
  ["recall", "recall", "Share of the true that is predicted", "missed"],
  ["f1", "F1", "Harmonic mean of precision and recall", "error"],
  ["ap", "AP", "Average precision, over all thresholds", "error"],
];
const COUNTS = new Set(["support", "found", "wrong", "missed"]);
const sorting = { key: "f1", up: true };
const figureHead = make("tr");
const figureBody = make("tbody");
const figureTable = make("div", { class: "figures", tabindex: 0 },
  make("table", {}, make("thead", {}, figureHead), figureBody));
let figureRows = [];

function buildTable() {
  const names = [["label", "label", "Name of the label"], ...COLUMNS];
  figureHead.replaceChildren(...names.map(([key, name, hint]) => {
    const button = make("button", { type: "button", title: `${hint}; click to sort` }, name);
    button.addEventListener("click", () => {
      Object.assign(sorting, key === sorting.key ? { up: !sorting.up } : { key, up: key === "label" });
      arrangeTable();
    });
    return make("th", { scope: "col", "data-key": key }, button);
  }));
  figureRows = [null, ...inspected.labels.map((label, l) => l)].map(buildFigureRow);
  figureBody.replaceChildren(...figureRows.map(({ row }) => row));
}

function buildFigureRow(label) {
  const name = label === null ? "all labels" : inspected.labels[label];
  const open = make("button", { type: "button", class: "name" }, name);
  open.addEventListener("click", () => ask({ label, outcome: view.outcome }));
  const row = make("tr", { "data-label": label === null ? "" : name }, make("th", { scope: "row" }, open));
  row.classList.toggle("all", label === null);
  const cells = {};
  for (const [key, title, hint, outcome] of COLUMNS) {
    const cell = make("td", { "data-figure": key });
    cells[key] = cell;
    if (outcome) {
      cells[key] = make("button", { type: "button", title: `${hint}: show the photos` });
      cells[key].addEventListener("click", () => {
        ask({ label, outcome });
        toGallery();
      });
      cell.append(cells[key]);
    }
    row.append(cell);
  }
  return { label, name, row, cells, figures: {} };
}

function paintTable() {
  const m = inspected.modes.indexOf(view.mode);
  const thresholds = thresholdsOf(view.mode);
  const [all, ...labels] = figureRows;
  for (const entry of labels) entry.figures = figuresOf(m, entry.label, thresholds[entry.label]);
  all.figures = overall(labels.map((entry) => entry.figures));
  for (const { label, row, cells, figures } of figureRows) {
    row.classList.toggle("chosen", label === view.label);
    row.classList.toggle("moved", label !== null && ownOf(inspected.labels[label]) !== undefined);
    for (const [key, cell] of Object.entries(cells)) {
      const value = figures[key];
      const text = value === null ? "–" : COUNTS.has(key) ? String(value) : value.toFixed(2);
      if (cell.textContent !== text) cell.textContent = text;
    }
  }
}

// In the order that was asked for; dragging a threshold moves no row.
function arrangeTable() {
  const [all, ...labels] = figureRows;
  const value = ({ name, figures }) => sorting.key === "label" ? name : figures[sorting.key] ?? -1;
  const sign = sorting.up ? 1 : -1;
  labels.sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    return sign * (typeof x === "string" ? x.localeCompare(y) : x - y);
  });
  for (const head of figureHead.children) {
    const chosen = head.dataset.key === sorting.key;
    head.setAttribute("aria-sort", chosen ? (sorting.up ? "ascending" : "descending") : "none");
  }
  figureBody.replaceChildren(all.row, ...labels.map(({ row }) => row));
}
