// The map of embeddings: draw a lasso around points to see their rows.

const mapChart = make("div", { class: "chart" });
const mapKind = choice({ "aria-label": "Embeddings of" }, []);
const mapText = make("p", { class: "hint" });
const mapPanel = make("details", { class: "panel map" }, make("summary", {}, "Map of embeddings"),
  make("label", {}, "Of ", mapKind), mapText, mapChart);
const OUTCOME_COLOURS = { found: "#0a7f57", missed: "#a66300", false: "#b23a6f", other: "#6b7280" };
let placed = null;
mapPanel.addEventListener("toggle", () => openMap());
mapKind.addEventListener("change", () => drawMap());

async function openMap() {
  if (!mapPanel.open) return;
  while (!placed) {
    const answer = await fromServer("map");
    if (answer.status === "ready") placed = answer;
    else {
      mapText.textContent = answer.notice ?? "Laying out the map …";
      if (answer.notice) return;
      await new Promise((done) => setTimeout(done, 500));
    }
  }
  const names = { image: "photos", text: "captions" };
  const kinds = Object.keys(placed.places);
  mapKind.replaceChildren(...kinds.map((kind) => make("option", { value: kind }, names[kind])));
  mapKind.parentElement.hidden = kinds.length < 2;
  drawMap();
}

// What a row is to the label looked at, or to all labels.
function outcomeOn(i) {
  const thresholds = thresholdsOf(view.mode).map(firstStep);
  const scores = placed.steps[view.mode]?.[i];
  const truth = new Set(placed.truth[i]);
  const labels = view.label === null ? inspected.labels.map((label, l) => l) : [view.label];
  const on = (l) => Boolean(scores && scores[l] >= thresholds[l]);
  if (labels.some((l) => truth.has(l) && !on(l))) return "missed";
  if (labels.some((l) => !truth.has(l) && on(l))) return "false";
  return labels.some((l) => truth.has(l)) ? "found" : "other";
}

async function drawMap() {
  if (!mapPanel.open || !placed) return;
  await plotlyLoaded(props.plotly);
  const [x, y] = placed.places[mapKind.value] ?? [[], []];
  if (!x.length) {
    mapText.textContent = "There are no embeddings in a file of predictions.";
    return;
  }
  const all = inspected.about.rows;
  const some = placed.rows.length < all ? ` ${placed.rows.length} of ${all} rows are on it.` : "";
  mapText.textContent = `Neighbours are alike to the backbone. Draw a line around points to see their rows.${some}`;
  const groups = Object.fromEntries(Object.keys(OUTCOME_COLOURS).map((name) => [name, []]));
  placed.rows.forEach((row, i) => { if (x[i] !== null) groups[outcomeOn(i)].push(i); });
  const data = Object.entries(groups).map(([name, points]) => ({
    type: "scatter", mode: "markers", name, x: points.map((i) => x[i]), y: points.map((i) => y[i]),
    customdata: points.map((i) => placed.rows[i]), text: points.map((i) => placed.names[i]),
    marker: { color: OUTCOME_COLOURS[name], size: 7, opacity: name === "other" ? 0.45 : 0.85 },
    hovertemplate: "%{text}<extra></extra>",
  }));
  const layout = layoutOf("", "", 360);
  Object.assign(layout, { dragmode: "lasso", margin: { l: 8, r: 8, t: 26, b: 8 } });
  for (const axis of [layout.xaxis, layout.yaxis]) Object.assign(axis, { range: [-1.1, 1.1], showticklabels: false });
  const [traces, looks] = themed({ data, layout }, mapChart);
  await window.Plotly.react(mapChart, traces, { ...looks, width: mapChart.clientWidth }, CONFIG);
  mapChart.removeAllListeners?.("plotly_selected");
  mapChart.on("plotly_selected", (chosen) => {
    if (chosen?.points?.length) ask({ rows: chosen.points.map((point) => point.customdata) });
  });
}
let mapping;
function drawMapSoon() {
  clearTimeout(mapping);
  mapping = setTimeout(drawMap, 120);
}
