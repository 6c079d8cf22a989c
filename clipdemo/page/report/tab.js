// The Report tab: requests its content when it is first opened.

import { onThemeChange } from "../shared/gradio.js";
import { loadPlotly } from "../shared/charts.js";
import { drawReport, redrawReport, waitFor } from "./report.js";

export function mount({ element, props, watch, trigger }) {
  waitFor(loadPlotly(props.plotly).catch(() => {
    drawReport(element, { notice: "The charts could not be loaded: reload the page." });
  }));
  watch("value", () => drawReport(element, props.value));
  onThemeChange(() => redrawReport(element));
  drawReport(element, { notice: "Reading the report …" });
  trigger("open");
}
