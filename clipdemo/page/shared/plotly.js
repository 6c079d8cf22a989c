// Plotly, fetched once, when a chart is first drawn.
function plotlyLoaded(address) {
  window.clipdemoPlotly ??= new Promise((loaded, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", loaded);
    script.addEventListener("error", failed);
    document.head.append(script);
  });
  return window.clipdemoPlotly;
}
