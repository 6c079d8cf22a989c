// The Report tab; runs as gr.HTML's js_on_load behind dom.js and report.js, when it is first opened.
turn = new Promise((loaded) => {
  const script = make("script", { src: props.plotly });
  script.addEventListener("load", loaded);
  script.addEventListener("error", () => {
    drawReport(element, { notice: "The charts could not be loaded: reload the page." });
  });
  document.head.append(script);
});
watch("value", () => drawReport(element, props.value));
new MutationObserver(() => redrawReport(element)).observe(document.body, { attributeFilter: ["class"] });
drawReport(element, { notice: "Reading the report …" });
trigger("open");
