// The board: a row per label, three bars, markers that move without asking the server.
// Runs as gr.HTML's js_on_load, behind rules.js: `element`, `props`, `watch`, `trigger` are given.
// Text only ever goes in by textContent.

const MODES = ["image", "text", "concat"];
const TITLES = { image: "Photo", text: "Caption", concat: "Both" };
const NEEDS = { image: "needs a photo", text: "needs a caption", concat: "needs photo and caption" };
const LABELS = props.labels;
const START = { rule: "tuned", threshold: 0.5, k: 3, sort: "score", hide: false };
const state = { ...START, own: {}, scores: {} };

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Controls

const slider = make("input", {
  type: "range", min: 0, max: 1, step: 0.0001, value: 0.5, "aria-label": "Threshold for all labels",
});
const shown = make("output");
const rule = make("select", { id: "rule", "aria-label": "Rule that turns scores into decisions" });
for (const [value, name] of [
  ["tuned", "tuned per label"], ["fixed", "one threshold"], ["mcut", "widest gap (MCut)"],
  ["top-k", "top k"],
]) rule.append(make("option", { value }, name));
const count = make("input", {
  type: "number", min: 1, max: LABELS.length, value: 3, "aria-label": "k: how many labels",
});
const sort = make("select", { "aria-label": "Order of the rows" });
for (const [value, name] of [
  ["score", "by score"], ["name", "by name"], ["differ", "by disagreement"],
]) sort.append(make("option", { value }, name));
const hide = make("input", { type: "checkbox" });
const reset = make("button", { type: "button" }, "Reset");
const controls = make("div", { class: "controls" },
  make("label", {}, "Rule ", rule, count),
  make("label", { id: "threshold" }, "Threshold ", slider, shown),
  make("label", {}, "Sort ", sort),
  make("label", {}, hide, "hide what is off"),
  reset);

// Label sets

const verdict = make("p", { class: "verdict", role: "status" });
const notice = make("p", { class: "notice", role: "alert" });
const sets = {};
const setList = make("div", { class: "sets" });
for (const mode of MODES) {
  if (!props.modes.includes(mode)) continue;
  sets[mode] = make("span", { class: "chips" });
  setList.append(make("div", { class: "set", "data-mode": mode },
    make("span", { class: "title" }, TITLES[mode]), sets[mode]));
}

// Rows

const body = make("div", { class: "rows" });
const rows = LABELS.map((label, i) => {
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
  });
  fineSteps(marker);
  bars.append(marker);
  const row = make("div", { class: "row", "data-label": label },
    make("span", { class: "name" }, label), bars, numbers);
  return { row, cells, marker };
});

// Arrow keys move by a hundredth, though the pointer moves by a ten-thousandth.
function fineSteps(input) {
  const steps = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01 };
  input.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    input.value = Number(input.value) + steps[event.key];
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// Painting

function paint() {
  const decisions = {};
  for (const mode of Object.keys(sets)) {
    const scores = state.scores[mode];
    decisions[mode] = scores && decide(scores, { ...state, tuned: props.tuned[mode] });
  }
  const movable = state.rule === "tuned" || state.rule === "fixed";
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
    const fallback = state.rule === "tuned" ? markerOf(i) : state.threshold;
    marker.hidden = !movable;
    marker.value = state.own[i] ?? fallback;
    row.classList.toggle("shared", state.rule === "fixed" || i in state.own);
  });
  slider.value = state.threshold;
  shown.textContent = state.rule === "fixed" ? state.threshold.toFixed(2) : "–";
  slider.classList.toggle("idle", state.rule !== "fixed");
  count.hidden = state.rule !== "top-k";
  rule.value = state.rule;
  paintSets(decisions);
}

// With rule `tuned` each mode has its own threshold; the handle stands at the last one that counts.
function markerOf(i) {
  const mode = Object.keys(sets).filter((m) => state.scores[m]).pop() ?? Object.keys(sets).pop();
  return props.tuned[mode][i];
}

function paintSets(decisions) {
  const present = Object.keys(sets).filter((mode) => decisions[mode]);
  const votes = LABELS.map((label, i) => present.filter((mode) => decisions[mode].on[i]).length);
  const split = (i) => votes[i] > 0 && votes[i] < present.length;
  for (const [mode, box] of Object.entries(sets)) {
    const chips = [];
    if (decisions[mode]) {
      const on = LABELS.map((label, i) => i).filter((i) => decisions[mode].on[i]);
      on.sort((a, b) => state.scores[mode][b] - state.scores[mode][a]);
      for (const i of on) {
        const others = present.filter((m) => m !== mode && !decisions[m].on[i]);
        const chip = make("span", { class: split(i) ? "chip differs" : "chip" }, LABELS[i]);
        if (others.length) chip.title = `not by ${others.map((m) => TITLES[m]).join(" and ")}`;
        chips.push(chip);
      }
    }
    const empty = decisions[mode] ? "no label" : NEEDS[mode];
    box.replaceChildren(...(chips.length ? chips : [make("span", { class: "none" }, empty)]));
  }
  const disputed = LABELS.filter((label, i) => split(i));
  verdict.textContent =
    state.waiting ? "Loading the model; the page is ready in a few seconds …"
    : present.length === 0 ? "Give it a photo, a caption or both, or choose a scene."
    : present.length === 1 ? `${TITLES[present[0]]} alone so far.`
    : disputed.length > 5 ? `They disagree on ${disputed.length} labels.`
    : disputed.length ? `They disagree on ${disputed.join(", ")}.`
    : "All agree.";
  verdict.classList.toggle("disputed", disputed.length > 0);
}

function arrange() {
  const best = (i) => Math.max(...Object.values(state.scores).map((s) => s[i]), -1);
  const spread = (i) => {
    const values = Object.values(state.scores).map((s) => s[i]);
    return values.length > 1 ? Math.max(...values) - Math.min(...values) : 0;
  };
  const order = LABELS.map((label, i) => i);
  const has = Object.keys(state.scores).length > 0;
  if (state.sort === "name") order.sort((a, b) => LABELS[a].localeCompare(LABELS[b]));
  else if (has) {
    const key = state.sort === "score" ? best : spread;
    order.sort((a, b) => key(b) - key(a));
  }
  body.replaceChildren(...order.map((i) => rows[i].row));
}

// New scores from the server: props.value is {scores, notice, waiting}.
function receive() {
  const value = props.value ?? {};
  state.waiting = value.waiting;
  state.scores = {};
  for (const [mode, scores] of Object.entries(value.scores ?? {})) {
    // What is shown decides: four decimals.
    state.scores[mode] = LABELS.map((label) => Number(scores[label].toFixed(4)));
  }
  rows.forEach(({ cells }, i) => {
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
  arrange();
  paint();
}

slider.addEventListener("input", () => {
  Object.assign(state, { rule: "fixed", threshold: Number(slider.value), own: {} });
  paint();
});
fineSteps(slider);
rule.addEventListener("change", () => {
  Object.assign(state, { rule: rule.value, own: {} });
  paint();
});
count.addEventListener("input", () => {
  state.k = Math.min(Math.max(Math.round(Number(count.value)) || 1, 1), LABELS.length);
  paint();
});
sort.addEventListener("change", () => {
  state.sort = sort.value;
  arrange();
});
hide.addEventListener("change", () => {
  state.hide = hide.checked;
  paint();
});
reset.addEventListener("click", () => {
  Object.assign(state, START, { own: {} });
  sort.value = state.sort;
  hide.checked = state.hide;
  count.value = state.k;
  arrange();
  paint();
});

// The caption counts 0.3 s after the last key.
let typing;
document.addEventListener("input", (event) => {
  if (!event.target.closest?.("#caption")) return;
  clearTimeout(typing);
  typing = setTimeout(() => trigger("input"), 300);
});
document.addEventListener("clipdemo-picked", () => trigger("input"));

const hint = make("p", { class: "hint" },
  "Bars from top: photo, caption, both. The mark on a bar is its threshold; a strong bar has passed",
  " it and its label is on. Move the slider, or drag a row's own mark.");
element.replaceChildren(verdict, notice, setList, controls, body, hint);
watch("value", receive);
receive();
