// The Report tab; runs as gr.HTML's js_on_load behind dom.js, plotly.js and report.js, when it is
// first opened.
turn = plotlyLoaded(props.plotly).catch(() => {
  drawReport(element, { notice: "The charts could not be loaded: reload the page." });
});
watch("value", () => drawReport(element, props.value));
new MutationObserver(() => redrawReport(element)).observe(document.body, { attributeFilter: ["class"] });
drawReport(element, { notice: "Reading the report …" });
trigger("open");
