// The map of embeddings: draw a lasso around points to see their rows.

import { choice, fill, make, debounced } from "../shared/dom.js";
import { drawChart, loadPlotly } from "../shared/charts.js";
import { firstStep } from "./counts.js";
import { layoutOf } from "./curves.js";
import { waitFor } from "./server.js";
import { ask, tab, thresholds } from "./state.js";

const COLOURS = { found: "#0a7f57", missed: "#a66300", false: "#b23a6f", other: "#6b7280" };
const KINDS = { image: "photos", text: "captions" };

// A row's outcome for some labels. `truth`: its true labels; `scores`, `cuts`: in steps, by label.
export function outcomeOf(labels, truth, scores, cuts) {
  const on = (label) => Boolean(scores && scores[label] >= cuts[label]);
  if (labels.some((label) => truth.includes(label) && !on(label))) return "missed";
  if (labels.some((label) => !truth.includes(label) && on(label))) return "false";
  return labels.some((label) => truth.includes(label)) ? "found" : "other";
}

// Traces by outcome of the points that have coordinates.
function tracesOf({ rows, names, truth, steps }, [x, y]) {
  const { labels, view } = tab.state;
  const looked = view.label === null ? [...labels.keys()] : [view.label];
  const cuts = thresholds(view.mode).map(firstStep);
  const groups = { found: [], missed: [], false: [], other: [] };
  rows.forEach((row, i) => {
    if (x[i] === null) return;
    groups[outcomeOf(looked, truth[i], steps[view.mode]?.[i], cuts)].push(i);
  });
  return Object.entries(groups).map(([name, points]) => ({
    type: "scatter", mode: "markers", name, x: points.map((i) => x[i]), y: points.map((i) => y[i]),
    customdata: points.map((i) => rows[i]), text: points.map((i) => names[i]),
    marker: { color: COLOURS[name], size: 7, opacity: name === "other" ? 0.45 : 0.85 },
    hovertemplate: "%{text}<extra></extra>",
  }));
}

function mapLayout() {
  const layout = layoutOf("", "", 360);
  Object.assign(layout, { dragmode: "lasso", margin: { l: 8, r: 8, t: 26, b: 8 } });
  for (const axis of [layout.xaxis, layout.yaxis]) {
    Object.assign(axis, { range: [-1.1, 1.1], showticklabels: false });
  }
  return layout;
}

export function embeddingMap(plotly) {
  const chart = make("div", { class: "chart" });
  const kind = choice({ "aria-label": "Embeddings of" }, [], drawNow);
  const text = make("p", { class: "hint" });
  const node = make("details", { class: "panel map" }, make("summary", {}, "Map of embeddings"),
    make("label", {}, "Of ", kind), text, chart);
  const draw = debounced(drawNow, 120);
  let map = null;

  async function open() {
    if (!node.open || map) return drawNow();
    const answer = await waitFor("map", ({ status }) => status === "ready",
      () => { text.textContent = "Computing the map …"; }, 500);
    if (answer.notice) {
      text.textContent = answer.notice;
      return;
    }
    map = answer;
    const kinds = Object.keys(map.places);
    fill(kind, kinds.map((key) => [key, KINDS[key]]));
    kind.parentElement.hidden = kinds.length < 2;
    drawNow();
  }

  async function drawNow() {
    if (!node.open || !map) return;
    await loadPlotly(plotly);
    const places = map.places[kind.value];
    if (!places?.[0].length) {
      text.textContent = "There is no map: a file of predictions has no embeddings.";
      return;
    }
    const all = tab.state.about.rows;
    const some = map.rows.length < all ? ` Shows ${map.rows.length} of ${all} rows.` : "";
    text.textContent = "Points close together have similar embeddings. Draw a line around points to see their photos."
      + some;
    await drawChart(chart, { data: tracesOf(map, places), layout: mapLayout() });
    chart.removeAllListeners("plotly_selected");
    chart.on("plotly_selected", (chosen) => {
      if (chosen?.points?.length) ask({ rows: chosen.points.map(({ customdata }) => customdata) });
    });
  }

  node.addEventListener("toggle", open);
  return { node, draw };
}
