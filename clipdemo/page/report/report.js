// The report: panels of text, charts and tables. The charts' text is already escaped for Plotly.

import { button, choice, make } from "../shared/dom.js";
import { drawChart } from "../shared/charts.js";

function reportTable({ groups = [], columns, rows, stacked }) {
  const head = make("thead");
  if (groups.length) {
    head.append(make("tr", {}, ...groups.map(([name, width]) =>
      make("th", { colspan: width, class: "group" }, name))));
  }
  head.append(make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name))));
  const cell = (value, i) => {
    const { lines = [value], tone = "" } = value?.lines ? value : {};
    return make("td", { "data-title": columns[i], class: tone },
      ...lines.map((line) => make("span", {}, line)));
  };
  const body = make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell))));
  const table = make("table", { class: stacked ? "stacked" : "numbers" }, head, body);
  return make("div", { class: "table", tabindex: 0 }, table);
}

// Draws one chart after the other, each in its own task, so that the page stays responsive.
let turn = Promise.resolve();

export function waitFor(promise) {
  turn = promise;
}

function inTurn(work) {
  turn = turn.then(() => new Promise((done) => setTimeout(done))).then(work);
  return turn;
}

let paper = 0;  // width of all charts while the report is printed

// Draws a chart when it is first visible with a width, and again whenever the width changes.
function reportChart(figure, title) {
  const chart = make("div", { class: "chart", role: "img", "aria-label": `${title}: ${figure.text}` });
  chart.style.height = `${figure.layout.height}px`;
  chart.draw = () => {
    const width = paper || chart.clientWidth;
    if (chart.isConnected && width) drawChart(chart, figure, width);
  };
  let seen = 0;
  new ResizeObserver(() => {
    if (!chart.clientWidth || chart.clientWidth === seen) return;
    seen = chart.clientWidth;
    inTurn(() => chart.draw());
  }).observe(chart);
  return chart;
}

function reportPanel({ id, title, text, source, variants, choose }) {
  const content = make("div", { class: "charts" });
  const show = ({ figures, tables }) => {
    content.classList.add(figures.length > 1 ? "pair" : "single");
    content.replaceChildren(
      ...figures.map((figure) => reportChart(figure, title)), ...tables.map(reportTable));
  };
  const panel = make("section", { id: `report-${id}` }, make("h3", {}, title), make("p", {}, text));
  if (variants.length > 1) {
    const select = choice({ "aria-label": choose }, variants.map(({ name }, i) => [i, name]),
      (i) => show(variants[i]));
    panel.append(make("label", {}, `${choose} `, select));
  }
  panel.append(content, make("p", { class: "source" }, source));
  show(variants[0]);
  return panel;
}

function reportFacts(facts, kind) {
  return make("dl", { class: kind }, ...facts.map(([word, what]) =>
    make("div", {}, make("dt", {}, word), make("dd", {}, what))));
}

// `report`: {title, summary: [[word, sentence]], about: [[word, what]], panels}, or {notice}.
export function drawReport(element, { notice, title, summary = [], about = [], panels = [] }) {
  if (notice) {
    element.replaceChildren(make("p", { class: "notice" }, notice));
    return;
  }
  const sections = panels.map(reportPanel);
  const links = panels.map((panel, i) =>
    button(panel.title, () => sections[i].scrollIntoView({ behavior: "smooth" })));
  element.replaceChildren(make("h2", {}, title), reportFacts(summary, "summary"),
    reportFacts(about, "about"), make("nav", {}, ...links), ...sections);
}

// Redraws in the page's new colours: for paper of a given width at once, else one by one.
export function redrawReport(element, width = 0) {
  paper = width;
  for (const chart of element.querySelectorAll(".chart")) {
    if (paper) chart.draw();
    else inTurn(() => chart.draw());
  }
}
