// The Inspect tab: how often each label is wrong, and the photos behind each figure. Rows, photos
// and findings come from /inspect/...

import { put } from "../compare/desk.js";
import { make, debounced } from "../shared/dom.js";
import { onThemeChange } from "../shared/gradio.js";
import { page } from "../shared/store.js";
import { followAddress } from "./address.js";
import { confusedTable } from "./confused.js";
import { controls } from "./controls.js";
import { countAbove } from "./counts.js";
import { curves } from "./curves.js";
import { filters } from "./filters.js";
import { gallery } from "./gallery.js";
import { embeddingMap } from "./map.js";
import { opener } from "./open.js";
import { fetchRows } from "./rows.js";
import { getCounts, waitFor } from "./server.js";
import { followPage, tab } from "./state.js";
import { figureTable } from "./table.js";
import { walker } from "./walk.js";

const INPUTS = { image: "photo", text: "caption" };

// One line about the table. `state` is the answer of /inspect/state.
export function headline(state) {
  const lacking = Object.entries(INPUTS)
    .map(([mode, name]) => [state.rows - (state.known[mode] ?? state.rows), name])
    .filter(([count]) => count)
    .map(([count, name]) => `, ${count} without a ${name}`);
  const name = state.drawn ? "Drawn scenes" : state.name;
  const sentences = [`${name}: ${state.rows} rows${lacking.join("")}, scored by ${state.backbone}.`];
  if (state.head === "zero-shot") sentences.push("Zero-shot: from the labels' names alone, uncalibrated.");
  for (const line of state.account ?? []) sentences.push(`${line[0].toUpperCase()}${line.slice(1)}.`);
  if (state.skipped === 1) sentences.push(`1 photo could not be used: ${state.first_skipped}`);
  if (state.skipped > 1) {
    sentences.push(`${state.skipped} photos could not be used; the first: ${state.first_skipped}`);
  }
  return sentences.join(" ");
}

export function mount({ element, props, trigger }) {
  const head = make("p", { class: "head" });
  const bar = make("progress");
  const sample = make("p", { class: "hint" },
    "Drawn scenes, far easier than photos. To inspect a table of your own: ",
    make("code", {}, "python app.py --table T.csv --photos DIR"));
  const walk = walker((row) => put(() => trigger("show", { row, key: tab.state.about.key })), () => photos);
  const photos = gallery(walk.open);
  const table = figureTable(photos.bringIntoView);
  const deciding = controls(table.arrange);
  const asking = filters();
  const confused = confusedTable(photos.bringIntoView);
  const charts = curves(props.plotly);
  const map = embeddingMap(props.plotly);
  const opening = opener();
  const body = make("div", { class: "inspect-body" },
    make("div", { class: "left" }, table.node, confused.node, charts.node, map.node),
    make("div", { class: "right" }, asking.node, photos.node));

  function paintFigures() {
    deciding.paint();
    table.paint();
    charts.paint();
  }

  function paint() {
    paintFigures();
    asking.paint();
    photos.paint();
    charts.draw();
    map.draw();
  }

  // Figures are updated within the frame, the rest once the thresholds stay the same for a moment.
  const paintAtRest = debounced(() => {
    paint();
    fetchRows();
  }, 120);

  function showProgress({ name, done, total }) {
    head.textContent = total ? `Scoring ${name}: ${done} of ${total} rows …` : "Loading the model and the rows …";
    bar.hidden = !total;
    bar.max = total || 1;
    bar.value = done;
  }

  async function begin() {
    const state = await waitFor("state", ({ status }) => status !== "loading", showProgress, 300);
    bar.hidden = true;
    opening.show(state);
    const counts = state.notice ? null : await getCounts();
    if (!counts) {
      head.textContent = state.notice ?? "The figures could not be fetched: reload the page.";
      return;
    }
    const { labels } = state;
    const modes = Object.keys(state.modes);
    const known = modes.filter((name) => state.known[name]);
    const mode = ["concat", "mutan", "image", "text"].find((name) => (known.length ? known : modes).includes(name));
    tab.set({
      about: state, labels, modes, counts: countAbove(counts, modes, labels),
      start: mode, view: { ...tab.state.view, mode },
    });
    followPage();
    head.textContent = headline(state);
    sample.hidden = !state.drawn;
    deciding.build();
    asking.build();
    table.build();
    photos.showFindings(state);
    body.hidden = deciding.node.hidden = false;
    tab.on(["view"], () => {
      paint();
      fetchRows();
    });
    tab.on(["decision"], () => {
      paintFigures();
      paintAtRest();
    });
    page.on(["decision"], followPage);
    onThemeChange(paint);
    paint();
    fetchRows();
    followAddress(walk);
  }

  bar.hidden = sample.hidden = body.hidden = deciding.node.hidden = true;
  element.replaceChildren(head, sample, opening.node, bar, deciding.node, body);
  begin();
}
