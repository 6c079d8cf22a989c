// Curves of a label with the thresholds on them, and what is predicted where it is missed.

const COLOURS = { image: "#2f6fdb", text: "#a66300", concat: "#0a7f57", mutan: "#8a3ea8" };
const FAINT = "rgba(128,128,128,0.22)";
const BINS = 10;
const curveTitle = make("summary");
const instead = make("p", { class: "instead" });
const [precisionChart, reliabilityChart] = [0, 1].map(() => make("div", { class: "chart", role: "img" }));
const ownCut = make("input", { type: "range", min: 0, max: 1, step: 0.0001 });
const ownShown = make("output");
const ownReset = make("button", { type: "button" });
const ownLabel = make("label", { class: "threshold" }, "Its threshold, in all modes ", ownCut, ownShown);
const bestCut = make("button", { type: "button" });
const ownTools = make("p", { class: "tools" }, bestCut, ownReset);
const curves = make("details", { class: "panel curves" }, curveTitle, ownLabel, ownTools, instead,
  make("div", { class: "charts" }, precisionChart, reliabilityChart));
curves.open = innerWidth > 900;  // on a phone the photos come first
fineSteps(ownCut);
ownCut.addEventListener("input", () => {
  change({ own: { ...cuts.own, [inspected.labels[view.label]]: Number(ownCut.value) } });
});
const setOwn = (value) => {
  const { [inspected.labels[view.label]]: before, ...others } = cuts.own;
  change({ own: value === null ? others : { ...others, [inspected.labels[view.label]]: value } });
};
ownReset.addEventListener("click", () => setOwn(null));
bestCut.addEventListener("click", () => setOwn(Number(bestCut.value)));
curves.addEventListener("toggle", () => drawCurves());

function layoutOf(x, y, height = 280) {
  const axis = { gridcolor: FAINT, zeroline: false, fixedrange: true, range: [-0.02, 1.04] };
  return {
    height, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false,
    font: { family: "system-ui, sans-serif", size: 12 }, margin: { l: 46, r: 10, t: 26, b: 40 },
    xaxis: { ...axis, title: { text: x, standoff: 6 } }, yaxis: { ...axis, title: { text: y, standoff: 6 } },
    legend: { orientation: "h", xref: "container", x: 0, yref: "container", y: 1, yanchor: "top" },
    hoverlabel: { bgcolor: "#1f2937", bordercolor: "#1f2937", font: { color: "#ffffff" } },
  };
}

function precisionRecall() {
  return inspected.modes.flatMap((mode, m) => {
    const [others, trues] = aboveOf(m, view.label);
    const points = { x: [], y: [] };
    let last = -1;
    for (let step = STEPS; step >= 0; step--) {
      if (trues[step] + others[step] === last || !trues[0]) continue;
      last = trues[step] + others[step];
      if (!last) continue;
      points.x.push(trues[step] / trues[0]);
      points.y.push(trues[step] / last);
    }
    const at = view.label === null
      ? overall(thresholdsOf(mode).map((t, l) => figuresOf(m, l, t)))
      : figuresOf(m, view.label, thresholdsOf(mode)[view.label]);
    const ap = at.ap === null ? "" : `, ${view.label === null ? "mAP" : "AP"} ${at.ap.toFixed(2)}`;
    const common = { marker: { color: COLOURS[mode], size: 10 }, legendgroup: mode };
    return [
      { ...points, name: MODE_NAMES[mode] + ap, mode: "lines", line: { color: COLOURS[mode] }, ...common,
        hovertemplate: "recall %{x:.2f}, precision %{y:.2f}<extra></extra>" },
      { x: [at.recall], y: [at.precision], mode: "markers", showlegend: false, ...common,
        hovertemplate: "now: recall %{x:.2f}, precision %{y:.2f}<extra></extra>" },
    ];
  });
}

// Share that is true by score, in ten bins; needs the mean score of a bin, hence the steps.
function reliabilityOf(m, label) {
  const [others, trues] = aboveOf(m, label);
  const points = { x: [], y: [], customdata: [] };
  for (let bin = 0; bin < BINS; bin++) {
    const [low, high] = [bin, bin + 1].map((edge) => Math.round(edge * STEPS / BINS) + (edge === BINS));
    let sum = 0;
    for (let step = low; step < high; step++) {
      sum += step * (trues[step] - trues[step + 1] + others[step] - others[step + 1]);
    }
    const right = trues[low] - trues[high];
    const all = right + others[low] - others[high];
    if (!all) continue;
    points.x.push(sum / all / STEPS);
    points.y.push(right / all);
    points.customdata.push(all);
  }
  return points;
}

function reliability() {
  const even = { x: [0, 1], y: [0, 1], mode: "lines", hoverinfo: "skip", showlegend: false,
    line: { color: "#6b7280", dash: "dot", width: 1 } };
  return [even, ...inspected.modes.map((mode, m) => ({
    ...reliabilityOf(m, view.label), name: MODE_NAMES[mode], mode: "lines+markers",
    line: { color: COLOURS[mode] }, marker: { color: COLOURS[mode] },
    hovertemplate: "score %{x:.2f}, true %{y:.2f}, %{customdata} scores<extra></extra>",
  }))];
}

function cutLines(dark) {
  if (view.label === null) return [];
  return inspected.modes.map((mode) => {
    const x = thresholdsOf(mode)[view.label];
    const color = dark ? DARK[COLOURS[mode]] : COLOURS[mode];
    return { type: "line", x0: x, x1: x, y0: 0, y1: 1, line: { color, width: 1.5, dash: "dash" } };
  });
}

async function drawCurves() {
  if (!curves.open || !curves.clientWidth) return;
  await plotlyLoaded(props.plotly);
  const dark = getComputedStyle(element).getPropertyValue("--dark").trim() === "1";
  for (const [chart, data, layout] of [
    [precisionChart, precisionRecall(), layoutOf("recall", "precision")],
    [reliabilityChart, reliability(), { ...layoutOf("score", "share that is true"), shapes: cutLines(dark) }],
  ]) {
    const [traces, looks] = themed({ data, layout }, chart);
    window.Plotly.react(chart, traces, { ...looks, width: chart.clientWidth }, CONFIG);
  }
}

let drawing;
function drawCurvesSoon() {
  clearTimeout(drawing);
  drawing = setTimeout(drawCurves, 60);
}
new ResizeObserver(drawCurvesSoon).observe(curves);

function paintOwnCut() {
  const label = view.label === null ? null : inspected.labels[view.label];
  curveTitle.textContent = `Precision, recall and reliability: ${label ?? "all labels"}`;
  ownLabel.hidden = ownTools.hidden = label === null;
  if (label === null) return;
  const best = bestF1(inspected.modes.indexOf(view.mode), view.label);
  bestCut.value = best.threshold;
  bestCut.textContent = `Best F1 here: ${best.f1.toFixed(2)} at ${best.threshold.toFixed(2)}`;
  bestCut.title = `On these rows, by ${MODE_NAMES[view.mode].toLowerCase()}; click to use it`;
  ownReset.hidden = ownOf(label) === undefined;
  ownReset.textContent = "Undo";
  ownReset.title = `Use the rule for ${label} again`;
  const value = thresholdsOf(view.mode)[view.label];
  ownCut.value = value;
  ownCut.setAttribute("aria-label", `Threshold for ${label}`);
  ownShown.textContent = value.toFixed(2);
  precisionChart.setAttribute("aria-label", `Precision by recall of ${label}`);
  reliabilityChart.setAttribute("aria-label", `Reliability of ${label}`);
}

// `told`: {missed, nothing, said: [[label, rows, of these rightly]]} of the chosen label, or null.
function tellInstead(told) {
  instead.hidden = !told?.missed;
  if (instead.hidden) return;
  const share = (right, rows) => right === rows ? "all true" : right ? `${right} true` : "none true";
  const said = told.said.map(([name, rows, right]) => `${name} ${rows}× (${share(right, rows)})`);
  if (told.nothing) said.push(`no label ${told.nothing}×`);
  instead.textContent = `Missed in ${told.missed} rows. Predicted there: ${said.join(", ")}.`;
}
