// The board: a row per label, a bar per mode, markers that move without asking the server.
// Runs as gr.HTML's js_on_load behind rules.js, dom.js, controls.js, sets.js, label.js and ghosts.js:
// `element`, `props`, `watch`, `trigger` are given. Text only ever goes in by textContent.

const notice = make("p", { class: "notice", role: "alert" });
const kind = make("p", { class: "kind" }, "Zero-shot: from the labels' names alone, uncalibrated.");
const known = make("p", { class: "known" }, "✓ marks what the table says is there.");
const body = make("div", { class: "rows" });
let rows = [];

function buildRow(label, i) {
  const cells = {};
  const bars = make("div", { class: "bars" });
  const numbers = make("div", { class: "numbers" });
  for (const mode of Object.keys(sets)) {
    const number = make("span", { class: `number ${mode}` });
    const bar = make("div", { class: "cell", "data-mode": mode, "data-score": "", "data-on": "false" },
      make("i", { class: "fill" }), make("i", { class: "cut" }));
    cells[mode] = { bar, number };
    bars.append(bar);
    numbers.append(number);
  }
  const marker = make("input", {
    type: "range", min: 0, max: 1, step: 0.0001, class: "marker",
    "aria-label": `Threshold for ${label}`,
  });
  marker.addEventListener("input", () => {
    state.own[i] = Number(marker.value);
    paint();
    announce();
  });
  fineSteps(marker);
  bars.append(marker);
  const name = nameOf(label);
  if (state.zeroShot.includes(label)) name.title = "zero-shot: from the name alone, uncalibrated";
  const row = make("div", { class: "row", "data-label": label }, name, bars, numbers);
  row.classList.toggle("zero-shot", state.zeroShot.includes(label));
  return { row, cells, marker };
}

// Another set of labels or modes: thresholds that were dragged stay with their labels.
function build(modes, labels) {
  const dragged = Object.entries(state.own).map(([i, value]) => [state.labels[i], value]);
  state.labels = labels;
  state.own = {};
  for (const [label, value] of dragged) {
    if (labels.includes(label)) state.own[labels.indexOf(label)] = value;
  }
  buildSets(modes);
  rows = labels.map(buildRow);
  element.style.setProperty("--modes", modes.length);
  sort.querySelector("[value=differ]").hidden = modes.length < 2;
  document.body.classList.toggle("no-captions", !reads("text"));
  document.body.classList.toggle("no-photos", !reads("image"));
  const bars = modes.map((mode) => TITLES[mode].replace(/^[A-Z](?=[a-z])/, (c) => c.toLowerCase()));
  hint.textContent = `${modes.length > 1 ? `Bars from top: ${bars.join(", ")}. ` : ""}The mark on a bar`
    + " is its threshold; a strong bar has passed it and its label is on. Move the slider, or drag a"
    + " row's own mark. Click a label for the words that carry it.";
}

// Per label the thresholds that count where the rule has some: of the chosen recall, or tuned.
function thresholds(mode) {
  return state.rule === "recall" ? state.recalls[mode][state.recall] : state.tuned[mode];
}

function paint() {
  const decisions = {};
  for (const mode of Object.keys(sets)) {
    const scores = state.scores[mode];
    decisions[mode] = scores && decide(scores, { ...state, tuned: thresholds(mode) });
  }
  const movable = ["tuned", "fixed", "recall"].includes(state.rule);
  rows.forEach(({ row, cells, marker }, i) => {
    let any = false;
    for (const [mode, { bar }] of Object.entries(cells)) {
      const on = Boolean(decisions[mode]?.on[i]);
      any ||= on;
      bar.dataset.on = on;
      bar.style.setProperty("--cut", decisions[mode]?.cut[i] ?? -1);
    }
    row.classList.toggle("on", any);
    row.hidden = state.hide && !any;
    const fallback = state.rule === "fixed" ? state.threshold : markerOf(i);
    marker.hidden = !movable;
    marker.value = state.own[i] ?? fallback;
    row.classList.toggle("shared", state.rule === "fixed" || i in state.own);
  });
  paintControls();
  paintSets(decisions);
}

// Where each mode has its own threshold, the handle stands at the last one that counts.
function markerOf(i) {
  const mode = Object.keys(sets).filter((m) => state.scores[m]).pop() ?? Object.keys(sets).pop();
  return thresholds(mode)[i];
}

function arrange() {
  const best = (i) => Math.max(...Object.values(state.scores).map((s) => s[i]), -1);
  const spread = (i) => {
    const values = Object.values(state.scores).map((s) => s[i]);
    return values.length > 1 ? Math.max(...values) - Math.min(...values) : 0;
  };
  const order = state.labels.map((label, i) => i);
  const has = Object.keys(state.scores).length > 0;
  if (state.sort === "name") order.sort((a, b) => state.labels[a].localeCompare(state.labels[b]));
  else if (has) {
    const key = state.sort === "score" ? best : spread;
    order.sort((a, b) => key(b) - key(a));
  }
  body.replaceChildren(...order.map((i) => rows[i].row));
}

// New from the server: props.value is {head, modes, labels, zeroShot, tuned, recall, scores, notice,
// waiting, truth, given}.
function receive() {
  const value = { ...state.received, ...props.value };  // an error is told with what was there
  state.received = value;
  state.waiting = value.waiting;
  const { modes = [], labels = [], zeroShot = [] } = value;
  const shape = JSON.stringify([modes, labels, zeroShot]);
  if (shape !== state.shape) {
    Object.assign(state, { shape, zeroShot });
    build(modes, labels);
  }
  state.tuned = value.tuned ?? {};
  state.recalls = value.recall ?? {};
  offerRecalls();
  kind.hidden = value.head !== "zero-shot";
  state.scores = {};
  for (const [mode, scores] of Object.entries(value.scores ?? {})) {
    // What is shown decides: four decimals.
    state.scores[mode] = scores.map((score) => Number(score.toFixed(4)));
  }
  const truth = value.truth ?? [];
  known.hidden = !truth.length;
  rows.forEach(({ row, cells }, i) => {
    row.classList.toggle("true", truth.includes(state.labels[i]));
    for (const [mode, { bar, number }] of Object.entries(cells)) {
      const score = state.scores[mode]?.[i];
      bar.dataset.score = score === undefined ? "" : score.toFixed(4);
      bar.style.setProperty("--score", score ?? 0);
      bar.classList.toggle("missing", score === undefined);
      number.textContent = score === undefined ? "–" : score.toFixed(2);
    }
  });
  notice.textContent = value.notice ?? "";
  notice.hidden = !value.notice;
  compareWithLast(value.given);
  arrange();
  paint();
  tellLabel(!value.waiting);
}

// The caption counts 0.3 s after the last key, and so do labels of one's own.
let typing;
document.addEventListener("input", (event) => {
  if (!event.target.closest?.("#caption, #own-labels")) return;
  clearTimeout(typing);
  typing = setTimeout(() => trigger("input"), 300);
});
document.addEventListener("clipdemo-picked", () => trigger("input"));

const hint = make("p", { class: "hint" });
element.replaceChildren(verdict, notice, setList, kind, controls, known, body, hint);
watch("value", receive);
receive();
