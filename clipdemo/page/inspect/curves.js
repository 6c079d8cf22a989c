// Curves of a label with the thresholds on them.

import { button, make, scoreSlider, debounced } from "../shared/dom.js";
import { MODE_COLOURS, drawChart, loadPlotly } from "../shared/charts.js";
import { MODE_NAMES, modeName } from "../shared/text.js";
import { addedUp, bestF1, figuresOf, overall, precisionRecall, reliability } from "./counts.js";
import { change, labelName, tab, thresholds } from "./state.js";

const FAINT = "rgba(128,128,128,0.22)";

export function layoutOf(x, y, height = 280) {
  const axis = { gridcolor: FAINT, zeroline: false, fixedrange: true, range: [-0.02, 1.04] };
  return {
    height, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false,
    font: { family: "system-ui, sans-serif", size: 12 }, margin: { l: 46, r: 10, t: 26, b: 40 },
    xaxis: { ...axis, title: { text: x, standoff: 6 } },
    yaxis: { ...axis, title: { text: y, standoff: 6 } },
    legend: { orientation: "h", xref: "container", x: 0, yref: "container", y: 1, yanchor: "top" },
    hoverlabel: { bgcolor: "#1f2937", bordercolor: "#1f2937", font: { color: "#ffffff" } },
  };
}

// A mode's counts for the chosen label.
function entryOf(m) {
  const { counts, view } = tab.state;
  return view.label === null ? addedUp(counts[m]) : counts[m][view.label];
}

function figuresNow(m) {
  const { counts, modes, view } = tab.state;
  const cuts = thresholds(modes[m]);
  const of = (label) => figuresOf(counts[m][label], cuts[label]);
  return view.label === null ? overall(cuts.map((cut, label) => of(label))) : of(view.label);
}

function precisionRecallTraces() {
  return tab.state.modes.flatMap((mode, m) => {
    const now = figuresNow(m);
    const average = tab.state.view.label === null ? "mAP" : "AP";
    const name = MODE_NAMES[mode] + (now.ap === null ? "" : `, ${average} ${now.ap.toFixed(2)}`);
    const common = { marker: { color: MODE_COLOURS[mode], size: 10 }, legendgroup: mode };
    return [
      { ...precisionRecall(entryOf(m)), ...common, name, mode: "lines", line: { color: MODE_COLOURS[mode] },
        hovertemplate: "recall %{x:.2f}, precision %{y:.2f}<extra></extra>" },
      { x: [now.recall], y: [now.precision], ...common, mode: "markers", showlegend: false,
        hovertemplate: "now: recall %{x:.2f}, precision %{y:.2f}<extra></extra>" },
    ];
  });
}

function reliabilityTraces() {
  const even = {
    x: [0, 1], y: [0, 1], mode: "lines", hoverinfo: "skip", showlegend: false,
    line: { color: "#6b7280", dash: "dot", width: 1 },
  };
  return [even, ...tab.state.modes.map((mode, m) => ({
    ...reliability(entryOf(m)), name: MODE_NAMES[mode], mode: "lines+markers",
    line: { color: MODE_COLOURS[mode] }, marker: { color: MODE_COLOURS[mode] },
    hovertemplate: "score %{x:.2f}, true %{y:.2f}, %{customdata} scores<extra></extra>",
  }))];
}

// A line at each mode's threshold of the label.
function thresholdLines() {
  const { modes, view } = tab.state;
  if (view.label === null) return [];
  return modes.map((mode) => {
    const x = thresholds(mode)[view.label];
    const line = { color: MODE_COLOURS[mode], width: 1.5, dash: "dash" };
    return { type: "line", x0: x, x1: x, y0: 0, y1: 1, line };
  });
}

export function curves(plotly) {
  const title = make("summary");
  const [precision, reliable] = [0, 1].map(() => make("div", { class: "chart", role: "img" }));
  const slider = scoreSlider({}, setOwn);
  const number = make("output");
  const ownCut = make("label", { class: "threshold" }, "Threshold for this label, in all modes ", slider, number);
  const useBest = button("", () => setOwn(best.threshold));
  const undo = button("Undo", () => setOwn(null));
  const tools = make("p", { class: "tools" }, useBest, undo);
  const node = make("details", { class: "panel curves" }, title, ownCut, tools,
    make("div", { class: "charts" }, precision, reliable));
  const draw = debounced(drawNow, 60);
  let best = { f1: 0, threshold: 0.5 };

  function setOwn(value) {
    const own = new Map(tab.state.decision.own);
    if (value === null) own.delete(labelName());
    else own.set(labelName(), value);
    change({ own });
  }

  async function drawNow() {
    if (!tab.state.about || !node.open || !node.clientWidth) return;
    await loadPlotly(plotly);
    drawChart(precision, { data: precisionRecallTraces(), layout: layoutOf("recall", "precision") });
    drawChart(reliable, {
      data: reliabilityTraces(),
      layout: { ...layoutOf("score", "share that is true"), shapes: thresholdLines() },
    });
  }

  function paint() {
    const { view, modes, decision } = tab.state;
    const label = labelName();
    title.textContent = `Precision, recall and reliability: ${label || "all labels"}`;
    precision.setAttribute("aria-label", `Precision by recall of ${label || "all labels"}`);
    reliable.setAttribute("aria-label", `Reliability of ${label || "all labels"}`);
    ownCut.hidden = tools.hidden = view.label === null;
    if (view.label === null) return;
    best = bestF1(tab.state.counts[modes.indexOf(view.mode)][view.label]);
    useBest.textContent = `Best F1 here: ${best.f1.toFixed(2)} at ${best.threshold.toFixed(2)}`;
    useBest.title = `On these rows, by ${modeName(view.mode)}; click to use it`;
    undo.hidden = !decision.own.has(label);
    undo.title = `Use the rule for ${label} again`;
    const value = thresholds(view.mode)[view.label];
    slider.value = value;
    slider.setAttribute("aria-label", `Threshold for ${label}`);
    number.textContent = value.toFixed(2);
  }

  node.open = innerWidth > 900;  // on a phone the photos come first
  node.addEventListener("toggle", drawNow);
  new ResizeObserver(draw).observe(node);
  return { node, paint, draw };
}
