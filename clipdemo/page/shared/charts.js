// Charts: Plotly, and the page's colours for them.

export const MODE_COLOURS = { image: "#2f6fdb", text: "#a66300", concat: "#0a7f57", mutan: "#8a3ea8" };
// Equivalents on a dark page of the colours of charts.py and the Inspect tab (see page.css).
const DARK = {
  "#2f6fdb": "#62a8ff", "#a66300": "#f0a63a", "#0a7f57": "#3cc492", "#7c3aed": "#b39bfb",
  "#8a3ea8": "#cf8ef0", "#b23a6f": "#f08bb4", "#6b7280": "#9aa3b2",
};
const CONFIG = { displayModeBar: false, displaylogo: false, scrollZoom: false };

let loading;

// Fetches Plotly when a chart is first drawn.
export function loadPlotly(address) {
  loading ??= new Promise((loaded, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", loaded);
    script.addEventListener("error", failed);
    document.head.append(script);
  });
  return loading;
}

// Draws a figure {data, layout} in the colours of the page around it.
export function drawChart(chart, figure, width = chart.clientWidth) {
  const style = getComputedStyle(chart);
  const dark = style.getPropertyValue("--dark").trim() === "1";
  const colour = (key, value) => (dark && key.endsWith("color") && DARK[value]) || value;
  const { data, layout } = JSON.parse(JSON.stringify(figure, colour));
  layout.font.color = style.color;
  return window.Plotly.react(chart, data, { ...layout, width }, CONFIG);
}
