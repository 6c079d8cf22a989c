// The Inspect tab; runs as gr.HTML's js_on_load behind its other scripts. Rows, photos and findings
// come from /inspect/...; text only ever goes in by textContent.

const inspectHead = make("p", { class: "head" });
const bar = make("progress");
const sample = make("p", { class: "hint" }, "A sample, far easier than photos. For a table of your own: ",
  make("code", {}, "python app.py --table T.csv --photos DIR"));
sample.hidden = true;
const inspectBody = make("div", { class: "inspect-body" },
  make("div", { class: "left" }, figureTable, curves, mapPanel),
  make("div", { class: "right" }, filters, gallery));
const walk = { at: -1, scroll: 0 };

// Change what is asked for, and show it.
function ask(changed) {
  Object.assign(view, changed);
  paintAll();
  fetchRows();
}

function paintAll() {
  paintFigures();
  paintFilters();
  paintCards();
  drawCurvesSoon();
  drawMapSoon();
}

function paintFigures() {
  paintCuts();
  paintTable();
  paintOwnCut();
}

// Figures follow within the frame, the rest as soon as the thresholds rest for a moment.
let settling;
function thresholdsMoved() {
  paintFigures();
  clearTimeout(settling);
  settling = setTimeout(() => {
    paintAll();
    if (walk.at < 0) fetchRows();  // while somebody walks through the rows they stay as they are
  }, 120);
}

async function begin() {
  let state = await fromServer("state");
  while (state.status === "loading") {
    inspectHead.textContent = state.total
      ? `Scoring ${state.name}: ${state.done} of ${state.total} rows …` : "Loading the model and the rows …";
    bar.hidden = !state.total;
    bar.max = state.total || 1;
    bar.value = state.done;
    await new Promise((done) => setTimeout(done, 300));
    state = await fromServer("state");
  }
  bar.hidden = true;
  if (state.notice) {
    inspectHead.textContent = state.notice;
    return;
  }
  const counts = await fetch("inspect/counts").catch(() => ({ ok: false }));
  if (!counts.ok) {
    inspectHead.textContent = "The figures could not be fetched: reload the page.";
    return;
  }
  takeCounts(state, new Uint32Array(await counts.arrayBuffer()));
  const unread = state.skipped ? ` ${state.skipped} photos could not be used; the first: ${state.first_skipped}` : "";
  const refused = state.refused ? ` ${state.refused} rows of the table could not be read.` : "";
  const sure = state.head === "zero-shot" ? " Zero-shot: from the labels' names alone, uncalibrated." : "";
  const lacking = Object.entries({ image: "photo", text: "caption" })
    .map(([mode, name]) => [state.rows - (state.known[mode] ?? state.rows), name])
    .filter(([count]) => count).map(([count, name]) => `, ${count} without a ${name}`).join("");
  inspectHead.textContent = `${state.name}: ${state.rows} rows${lacking}, scored by ${state.backbone}.`
    + `${sure}${refused}${unread}`;
  sample.hidden = !state.drawn;
  view.mode = ["concat", "mutan", "image", "text"].find((mode) => inspected.modes.includes(mode));
  buildControls();
  buildFilters();
  buildTable();
  tellFindings(state.findings);
  inspectBody.hidden = cutControls.hidden = false;
  document.dispatchEvent(new Event("clipdemo-thresholds-wanted"));
  paintAll();
  arrangeTable();
  fetchRows();
}

// A row on the Compare board, with the way back and to its neighbours.
function openRow(at) {
  if (!found.rows[at]) return;
  if (walk.at < 0) walk.scroll = scrollY;
  walk.at = at;
  const { row, id, marks } = found.rows[at];
  const label = view.label === null ? "" : inspected.labels[view.label];
  trigger("show", { row });
  if (label) document.dispatchEvent(new CustomEvent("clipdemo-choose", { detail: { label } }));
  const asked = [label, view.outcome].filter(Boolean).join(", ");
  document.dispatchEvent(new CustomEvent("clipdemo-walk", { detail: {
    text: `${asked && `${asked}: `}${at + 1} of ${found.total}, ${id}`, first: at === 0, last: at + 1 >= found.total, marks,
    from: "Inspect", name: id.split("/").pop(),
  } }));
  toTab("Compare");
  scrollTo({ top: 0 });
}
document.addEventListener("clipdemo-walk-to", async ({ detail: { from, to } }) => {
  if (from !== "Inspect") return;
  if (to === "back") {
    walk.at = -1;
    for (const { marks, row } of found.rows) cards.querySelector(`[data-row="${row}"]`)?.append(marks);
    if (found.thresholds !== JSON.stringify(question().thresholds)) fetchRows();
    toTab("Inspect");
    requestAnimationFrame(() => scrollTo({ top: walk.scroll }));
    return;
  }
  const at = walk.at + to;
  if (at >= found.rows.length && at < found.total) await fetchRows(found.rows.length);
  openRow(at);
});

new MutationObserver(() => { if (inspected.about) paintAll(); })
  .observe(document.body, { attributeFilter: ["class"] });
inspectBody.hidden = cutControls.hidden = true;
element.replaceChildren(inspectHead, sample, bar, cutControls, inspectBody);
begin();
