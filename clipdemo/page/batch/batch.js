// The Batch tab: progress, and the results as a table or a gallery under a rule that is chosen here.
// Runs as gr.HTML's js_on_load behind rules.js, dom.js and results.js. Text only ever goes in by
// textContent.

const SAYS = { image: "Photo says", text: "Caption says", concat: "Both say", mutan: "MUTAN says" };
const state = { rule: "tuned", threshold: 0.5, k: 3, recall: "0.90", own: {}, label: "",
  sort: null, down: false, value: {}, rows: [] };

const told = make("p", { role: "status" });
const progress = make("progress", { "aria-label": "Progress" });
const cancel = make("button", { type: "button" }, "Cancel and keep what is done");
const notices = make("ul", { class: "notices" });
cancel.addEventListener("click", () => {
  cancel.disabled = true;
  trigger("cancel");
});

const rule = choice({ "aria-label": "Rule for all photos" }, RULES);
const recall = choice({ "aria-label": "Recall that each label reached on validation" }, []);
const count = make("input", { type: "number", min: 1, value: 3, "aria-label": "k: how many labels" });
const slider = make("input", {
  type: "range", min: 0, max: 1, step: 0.0001, value: 0.5, "aria-label": "Threshold for all photos",
});
const shown = make("output");
const sliding = make("label", { class: "sliding" }, "Threshold ", slider, shown);
const label = choice({ "aria-label": "Label whose scores are shown" }, []);
const views = ["Table", "Gallery"].map((name) => make("button", { type: "button" }, name));
const files = ["CSV", "JSON"].map((kind) => make("button", { type: "button" }, `Download ${kind}`));
const controls = make("div", { class: "controls" },
  make("label", {}, "Rule ", rule, recall, count), sliding,
  make("label", {}, "Show ", label),
  make("span", { role: "group", "aria-label": "View" }, ...views),
  make("span", {}, ...files));
const table = make("div", { class: "table", tabindex: 0 });
const gallery = make("div", { class: "gallery" });

fineSteps(slider);
slider.addEventListener("input", () => {
  Object.assign(state, { rule: "fixed", threshold: Number(slider.value) });
  soon();
});
rule.addEventListener("change", () => { state.rule = rule.value; paint(); });
recall.addEventListener("change", () => { state.recall = recall.value; paint(); });
count.addEventListener("input", () => {
  state.k = Math.min(Math.max(Math.round(Number(count.value)) || 1, 1), state.value.labels.length);
  paint();
});
label.addEventListener("change", () => { state.label = label.value; arrange(); paint(); });
views.forEach((button, i) => button.addEventListener("click", () => view(i)));
files[0].addEventListener("click", () => save("clipdemo.csv", "text/csv",
  toCsv(usedRule(state), entries(), state.value.modes, state.value.labels)));
files[1].addEventListener("click", () => save("clipdemo.json", "application/json",
  toJson({ backbone: state.value.backbone, head: state.value.head, ...usedRule(state) }, entries())));

function options(mode) {
  const tuned = state.rule === "recall" ? state.value.recall[mode][state.recall] : state.value.tuned[mode];
  return { ...state, tuned };
}

function entries() {
  return state.rows.map(({ found }) => entryOf(found, state.value.labels, options));
}

function view(chosen) {
  views.forEach((button, i) => button.setAttribute("aria-pressed", i === chosen));
  table.hidden = chosen !== 0;
  gallery.hidden = chosen !== 1;
}

// A button that opens the photo on the Compare board; what has neither photo nor caption opens nothing.
function opener(found, index, attributes) {
  const picture = found.thumbnail
    ? make("img", { src: found.thumbnail, alt: "", loading: "lazy", decoding: "async" })
    : make("span", { class: "blank" }, found.problem ? "!" : "“ ”");
  const button = make("button", { type: "button", ...attributes }, picture);
  button.title = `${found.name}: open on the Compare board`;
  button.disabled = !Object.keys(found.scores).length;
  button.addEventListener("click", () => {
    const { rule, threshold, recall, k } = state;
    trigger("open", { index });
    // The board decides as this table does, or the two would contradict each other.
    document.dispatchEvent(new CustomEvent("clipdemo-thresholds", {
      detail: { rule, threshold, recall, k, own: {}, from: "batch" },
    }));
    document.dispatchEvent(new CustomEvent("clipdemo-walk", {
      detail: { from: "Batch", text: found.name, name: found.name, first: true, last: true, marks: "" },
    }));
  });
  return button;
}
document.addEventListener("clipdemo-walk-to", ({ detail: { from, to } }) => {
  if (from === "Batch" && to === "back") toTab("Batch");
});

function buildRow(found, index) {
  const name = opener(found, index, { class: "photo" });
  name.append(make("span", { class: "name" }, found.name));
  const caption = make("td", { class: "caption" }, found.caption ?? "");
  if (found.by === "model") caption.append(make("small", {}, " written by the model"));
  if (found.problem) caption.append(make("small", { class: "problem" }, found.problem));
  const cells = Object.fromEntries(state.value.modes.map((mode) => [mode, make("td", { "data-mode": mode })]));
  const row = make("tr", { "data-photo": found.name }, make("th", { scope: "row" }, name), caption,
    ...Object.values(cells));
  const tile = opener(found, index, { class: "tile" });
  const line = make("span", { class: "name" });
  tile.append(line);
  return { found, index, row, cells, tile, line };
}

function paintCell(cell, scores, mode) {
  if (!scores) return cell.replaceChildren("–");
  const { labels } = state.value;
  const { on } = decide(scores, options(mode));
  if (state.label) {
    const i = labels.indexOf(state.label);
    return cell.replaceChildren(make("span", { class: on[i] ? "number on" : "number" }, scores[i].toFixed(2)));
  }
  const chips = best(scores, on).map((i) => make("span", { class: "chip" }, labels[i], " ",
    make("b", {}, scores[i].toFixed(2))));
  return cell.replaceChildren(...(chips.length ? chips : [make("span", { class: "none" }, "no label")]));
}

function paint() {
  rule.value = state.rule;
  recall.hidden = state.rule !== "recall";
  recall.value = state.recall;
  count.hidden = state.rule !== "top-k";
  slider.value = state.threshold;
  slider.classList.toggle("idle", state.rule !== "fixed");
  shown.textContent = state.rule === "fixed" ? state.threshold.toFixed(2) : "–";
  for (const { found, cells, line } of state.rows) {
    for (const [mode, cell] of Object.entries(cells)) paintCell(cell, found.scores[mode], mode);
    const mode = Object.keys(found.scores).pop();
    const on = mode ? best(found.scores[mode], decide(found.scores[mode], options(mode)).on) : [];
    line.textContent = on.map((i) => state.value.labels[i]).join(", ") || (mode ? "no label" : found.name);
  }
}

// Once a frame at most, however fast the slider moves.
let asked = 0;
function soon() {
  asked ||= requestAnimationFrame(() => { asked = 0; paint(); });
}

// What a column is sorted by: text, or a mode's score of the label shown, else its highest.
function key({ found }, column) {
  if (column === "name" || column === "caption") return found[column] ?? "";
  const scores = found.scores[column];
  return !scores ? -1 : state.label ? scores[state.value.labels.indexOf(state.label)] : Math.max(...scores);
}

function arrange() {
  const order = [...state.rows];
  if (state.sort) {
    const sign = state.down ? -1 : 1;
    order.sort((a, b) => {
      const [x, y] = [key(a, state.sort), key(b, state.sort)];
      return sign * (typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : x - y);
    });
  }
  body.replaceChildren(...order.map(({ row }) => row));
  gallery.replaceChildren(...order.map(({ tile }) => tile));
  for (const head of table.querySelectorAll("thead th")) {
    const sorted = head.dataset.column === state.sort;
    head.setAttribute("aria-sort", !sorted ? "none" : state.down ? "descending" : "ascending");
  }
}

const body = make("tbody");
function buildHead(modes) {
  const columns = [["name", "File"], ["caption", "Caption"], ...modes.map((mode) => [mode, SAYS[mode]])];
  const heads = columns.map(([column, title]) => {
    const button = make("button", { type: "button" }, title);
    button.addEventListener("click", () => {
      state.down = state.sort === column ? !state.down : column in SAYS;
      state.sort = column;
      arrange();
    });
    return make("th", { scope: "col", "data-column": column, "data-mode": column }, button);
  });
  table.replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...heads)), body));
}

function offer({ labels, recall: recalls, modes }) {
  label.replaceChildren(make("option", { value: "" }, "labels that are on"),
    ...labels.map((name) => make("option", { value: name }, `scores of ${name}`)));
  state.label = "";
  const known = Object.keys(recalls[modes[0]] ?? {}).sort();
  rule.querySelector("[value=recall]").disabled = !known.length;
  recall.replaceChildren(...known.map((value) =>
    make("option", { value }, `${Math.round(100 * Number(value))} %`)));
  if (!known.length && state.rule === "recall") state.rule = "tuned";
  if (!known.includes(state.recall)) state.recall = known.at(-1) ?? "0.90";
  count.max = labels.length;
}

function tell({ state: at, total = 0, rate, left, rows = [] }) {
  const done = `${rows.length} of ${total}`;
  const speed = rate ? ` · ${rate.toFixed(1)}/s · ${duration(left)} left` : "";
  told.textContent = {
    reading: "Reading what you gave …", running: done + speed, done: `Done: ${rows.length}.`,
    stopped: `Cancelled: ${done} are kept.`, failed: rows.length ? `Stopped: ${done} are kept.` : "",
  }[at] ?? "";
  const running = at === "reading" || at === "running";
  progress.hidden = cancel.hidden = !running;
  if (!running) cancel.disabled = false;
  progress.max = total || 1;
  progress.value = rows.length;
}

function duration(seconds) {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

// New from the server: {run, state, total, rate, left, notices, rows: all so far} and the board's
// frame. The rows of a run only ever grow.
function receive() {
  const value = props.value ?? {};
  const { rows = [], modes = [], notices: sentences = [] } = value;
  const fresh = value.run !== state.value.run;
  state.value = value;
  if (fresh) {
    state.rows = [];
    state.sort = null;
    if (modes.length) {
      offer(value);
      buildHead(modes);
    }
  }
  const before = state.rows.length;
  rows.slice(before).forEach((found, i) => state.rows.push(buildRow(found, before + i)));
  tell(value);
  notices.replaceChildren(...sentences.map((sentence) => make("li", {}, sentence)));
  const any = state.rows.length > 0;
  controls.hidden = !any;
  if (!any) table.hidden = gallery.hidden = true;
  else if (table.hidden && gallery.hidden) view(0);
  if (fresh || rows.length > before) {
    arrange();
    paint();
  }
}

element.replaceChildren(make("div", { class: "progress" }, told, progress, cancel), notices, controls,
  table, gallery);
watch("value", receive);
receive();
