// The report as a stand-alone file.

import { drawReport, redrawReport } from "./report.js";

const main = document.querySelector("main.report");
const scheme = matchMedia("(prefers-color-scheme: dark)");

function dress(dark, width) {
  document.documentElement.classList.toggle("dark", dark);
  redrawReport(main, width);
}

drawReport(main, JSON.parse(document.getElementById("content").textContent));
dress(scheme.matches);
scheme.addEventListener("change", () => dress(scheme.matches));
// Paper is light, and narrower than most screens: 680 pixels fit A4 and letter.
addEventListener("beforeprint", () => dress(false, 680));
addEventListener("afterprint", () => dress(scheme.matches));
