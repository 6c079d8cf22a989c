// The Batch tab: progress, and the results as a table or a gallery, with the rule chosen here.

import { put } from "../compare/desk.js";
import { decisionControls } from "../shared/decision_controls.js";
import { appears, button, choice, fill, make, saveFile } from "../shared/dom.js";
import { isTabOpen, openTab } from "../shared/gradio.js";
import { resultOf, toCsv, toJson, usedRule } from "../shared/results.js";
import { RULES, START, commonRecalls, decide, thresholdsOf, usable } from "../shared/rules.js";
import { ruleNote } from "../shared/rule_note.js";
import { page } from "../shared/store.js";
import { progressText } from "./progress.js";
import { allSent } from "./files.js";
import { follower, isRunning, keptRun, stopRun } from "./run.js";
import { buildRow, columnsOf, showDecisions, sorted } from "./results_table.js";

const AT_ONCE = 200;  // rows in the page; scrolling to their end adds more

export function mount({ element, props, watch, trigger }) {
  let run = { modes: [], labels: [], rows: [] };  // the server's answers so far
  let rows = [];
  let order = [];  // the rows in the order shown
  let decision = START;
  let sorting = { column: null, down: false };

  const start = button("Start", begin, { id: "batch-start", class: "primary" });
  const status = make("p", { role: "status" });
  const bar = make("progress", { "aria-label": "Progress" });
  const cancel = button("Cancel and keep the results", async () => {
    cancel.disabled = true;
    if (!(await stopRun(run.run))?.ok) cancel.disabled = false;
  });
  const notices = make("ul", { class: "notices", "aria-live": "polite" });
  const deciding = decisionControls(RULES, "photos", (changes) => {
    decision = { ...decision, ...changes };
    paintSoon();
  });
  const label = choice({ "aria-label": "Label whose scores are shown" }, [], () => {
    arrange();
    paint();
  });
  const note = make("p", { class: "note" });
  const views = ["Table", "Gallery"].map((name, i) => button(name, () => show(i)));
  const scores = make("input", { type: "checkbox" });
  const controls = make("div", { class: "controls" }, ...deciding.nodes,
    make("label", {}, "Show ", label),
    make("span", { role: "group", "aria-label": "View" }, ...views),
    make("span", {}, button("Download CSV", saveCsv), make("label", {}, scores, "with scores"),
      button("Download JSON", saveJson)), note);
  const head = make("tr");
  const body = make("tbody");
  const table = make("div", { class: "table", tabindex: 0 },
    make("table", {}, make("thead", {}, head), body));
  const gallery = make("div", { class: "gallery" });
  let most = AT_ONCE;
  const ends = [table, gallery].map((node) => [node, make("div", { class: "end" })]);
  for (const [node, end] of ends) {
    new IntersectionObserver(([{ isIntersecting }]) => {
      if (!isIntersecting || most >= order.length) return;
      most += AT_ONCE;
      place(order.slice(most - AT_ONCE, most));
    }, { root: node, rootMargin: "1000px" }).observe(end);
    node.append(end);
  }

  // Appends rows to those on the page.
  function place(some) {
    body.append(...some.map(({ row }) => row));
    ends[1][1].before(...some.map(({ tile }) => tile));
  }

  function decisionsOf({ scores }) {
    return Object.fromEntries(Object.entries(scores).map(([mode, values]) => [mode,
      decide(values, decision, thresholdsOf(run.labels, decision, run.tuned[mode], run.recall[mode]))]));
  }

  function results() {
    return rows.map(({ result }) => resultOf(result, run.labels, decisionsOf(result)));
  }

  function saveCsv() {
    const text = toCsv(usedRule(decision), results(), run.modes, run.labels, scores.checked);
    saveFile("clipdemo.csv", new Blob([text], { type: "text/csv" }));
  }

  function saveJson() {
    const about = { backbone: run.backbone, head: run.head, ...usedRule(decision), photos: results() };
    saveFile("clipdemo.json", new Blob([toJson(about)], { type: "application/json" }));
  }

  async function begin() {
    start.disabled = true;
    notices.replaceChildren();
    const bag = await allSent();
    if (bag) trigger("start", { bag });
    start.disabled = isRunning(run);
  }

  function show(chosen) {
    views.forEach((view, i) => view.setAttribute("aria-pressed", i === chosen));
    table.hidden = chosen !== 0;
    gallery.hidden = chosen !== 1;
  }

  let opened = null;  // the row whose photo the Compare tab shows

  function comeBack() {
    const { row, tile } = opened ?? {};
    opened = null;
    openTab("Batch");
    requestAnimationFrame(() => (table.hidden ? tile : row?.querySelector("button"))?.focus());
  }

  window.addEventListener("popstate", () => {
    if (opened && page.state.walk?.from === "Batch" && isTabOpen("Compare")) comeBack();
    opened = null;
  });

  // The board takes over this table's decision rule, so that both agree.
  function open(row) {
    const [place, { name }] = [order.indexOf(row), row.result];
    const go = (step) => (step === "back" ? comeBack() : open(order[place + step]));
    if (!opened) history.pushState(history.state, "", location.href);  // Back returns to the table
    opened = row;
    put(() => trigger("open", { index: rows.indexOf(row), run: run.run }));
    page.set({
      decision,
      walk: {
        from: "Batch", text: `${place + 1} of ${order.length}: ${name}`, name, first: !place,
        last: place === order.length - 1, extra: "", go,
      },
    });
  }

  // Only rows on the screen or near it are drawn.
  const near = new Set();
  const shown = new WeakMap();  // the row that an element belongs to
  let version = 0;
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) near.add(target);
      else near.delete(target);
      if (isIntersecting) paintRow(shown.get(target));
    }
  }, { rootMargin: "300px" });

  function paintRow(row) {
    if (row.version === version) return;
    row.version = version;
    showDecisions(row, decisionsOf(row.result), run, run.labels.indexOf(label.value));
  }

  function paint() {
    deciding.show(decision);
    note.replaceChildren(...ruleNote(decision, run.oneThreshold));
    version += 1;
    for (const element of near) paintRow(shown.get(element));
  }

  // At most once per frame, however fast the slider moves.
  let frame = 0;
  function paintSoon() {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      paint();
    });
  }

  function sortBy(column) {
    const scores = run.modes.includes(column);  // highest first
    sorting = { column, down: sorting.column === column ? !sorting.down : scores };
    arrange();
  }

  function arrange() {
    const { column, down } = sorting;
    order = column
      ? sorted(rows, ({ result }) => result, column, down, run.labels.indexOf(label.value)) : rows;
    most = AT_ONCE;
    body.replaceChildren();
    gallery.replaceChildren(ends[1][1]);
    place(order.slice(0, most));
    for (const cell of head.children) {
      const chosen = cell.dataset.column === column;
      cell.setAttribute("aria-sort", !chosen ? "none" : down ? "descending" : "ascending");
    }
  }

  // For another run.
  function build() {
    const { modes, labels } = run;
    const recalls = commonRecalls(Object.values(run.recall));
    observer.disconnect();
    near.clear();
    rows = [];
    sorting = { column: null, down: false };
    decision = usable(decision, recalls);
    deciding.offer(recalls, labels.length);
    fill(label, [["", "labels that are on"], ...labels.map((name) => [name, `scores of ${name}`])]);
    head.replaceChildren(...columnsOf(modes).map(([column, title]) =>
      make("th", { scope: "col", "data-column": column, "data-mode": column },
        button(title, () => sortBy(column)))));
  }

  // After a reload the checkbox is as it was for the run.
  async function tickCaptions(written) {
    const box = await appears("#batch-captions input");
    if (box.checked !== written) box.click();
  }

  // The server's answer about the run; rows are only ever added.
  function receive(found) {
    const isOther = found.run !== run.run;
    if (isOther && found.run !== props.value?.run) tickCaptions(found.written);
    const wasKnown = !isOther && run.modes.length > 0;
    const known = isOther ? [] : run.rows;
    run = { recall: {}, modes: [], labels: [], ...found, rows: [...known, ...found.rows] };
    if (!wasKnown) build();
    const fresh = run.rows.slice(rows.length).map((result) => {
      const row = buildRow(result, run.modes, () => open(row));
      for (const element of [row.row, row.tile]) {
        shown.set(element, row);
        observer.observe(element);
      }
      return row;
    });
    rows.push(...fresh);
    const running = isRunning(run);
    status.textContent = progressText(run);
    bar.hidden = cancel.hidden = !running;
    start.disabled = running;  // another run would replace this one's results
    bar.max = run.total || 1;
    bar.value = rows.length;
    if (!running && cancel.disabled) {
      cancel.disabled = false;
      if (document.activeElement === document.body) start.focus();  // that Cancel had
    }
    notices.replaceChildren(...run.notices.map((sentence) => make("li", {}, sentence)));
    controls.hidden = !rows.length;
    if (!rows.length) table.hidden = gallery.hidden = true;
    else if (table.hidden && gallery.hidden) show(0);
    if (sorting.column || !wasKnown) arrange();
    else {
      order = rows;
      place(rows.slice(rows.length - fresh.length, most));
    }
    if (!wasKnown) paint();
  }

  function lost() {
    status.textContent = "The connection is lost; the run continues on the server. Trying again …";
  }

  // The server has been restarted: rows shown stay, as after a cancel.
  function forget(sentence) {
    receive({ ...run, state: "failed", rows: [], notices: [sentence] });
    allSent();
  }

  const follow = follower({ receive, lost, forget, known: () => run });
  element.replaceChildren(make("div", { class: "progress" }, start, status, bar, cancel), notices, controls,
    table, gallery);
  controls.hidden = table.hidden = gallery.hidden = bar.hidden = cancel.hidden = true;
  watch("value", () => follow(props.value?.run));
  follow(props.value?.run ?? keptRun());
}
