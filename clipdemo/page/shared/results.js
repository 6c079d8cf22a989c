// Results as files, with the rule and thresholds used: the same as
// clipdemo/inspection/batch_files.py and clipdemo/tables/safe_csv.py.

import { bestFirst } from "./rules.js";

// The rule and the parameter that it uses, if any.
export function usedRule({ rule, threshold, k, recall }) {
  const own = { fixed: { threshold }, "top-k": { k }, recall: { recall: Number(recall) } };
  return { rule, ...own[rule] };
}

// One photo's entry. `decisions` and `scores` are per mode, in the order of the labels.
export function resultOf({ name, caption, by, problem, scores }, labels, decisions) {
  const named = (values) => Object.fromEntries(labels.map((label, i) => [label, values[i]]));
  const found = { scores: {}, thresholds: {}, labels: {} };
  for (const [mode, values] of Object.entries(scores)) {
    const { on, cut } = decisions[mode];
    found.scores[mode] = named(values);
    found.thresholds[mode] = named(cut);
    found.labels[mode] = bestFirst(values, on).map((i) => labels[i]);
  }
  const result = { photo: name || null, caption: caption || null, caption_by: by || null, ...found };
  return problem ? { ...result, problem } : result;
}

export function toJson(content) {
  return `${JSON.stringify(content, null, 1)}\n`;
}

// Without a byte order mark, Excel reads a CSV in the local code page.
export function toCsv(used, results, modes, labels, withScores) {
  const pairs = withScores ? modes.flatMap((mode) => labels.map((label) => [mode, label])) : [];
  const names = pairs.map((pair) => pair.join(" "));
  const rule = Object.values(used).join(" ");
  const rows = [[
    "photo", "caption", "caption by", "rule", ...modes.map((mode) => `${mode} labels`),
    ...names, ...names.map((name) => `${name} threshold`), "problem",
  ]];
  for (const result of results) {
    const numbers = (key) => pairs.map(([mode, label]) => result[key][mode]?.[label] ?? "");
    rows.push([
      result.photo, result.caption, result.caption_by, rule,
      ...modes.map((mode) => (result.labels[mode] ?? []).join("; ")),
      ...numbers("scores"), ...numbers("thresholds"), result.problem,
    ]);
  }
  return `\uFEFF${rows.map((row) => `${row.map(csvCell).join(",")}\n`).join("")}`;
}

// Text that a spreadsheet would take for a formula is escaped; numbers stay numbers.
function csvCell(value) {
  if (typeof value === "number") return String(value);
  const text = `${value ?? ""}`.replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
