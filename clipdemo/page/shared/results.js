// Results as files, with the rule and the thresholds that decided: the same as clipdemo/results.py
// and data/safe_csv.py. Needs rules.js and dom.js.

// The rule and what it depends on, and nothing else.
function usedRule({ rule, threshold, k, recall }) {
  const own = { fixed: { threshold }, "top-k": { k }, recall: { recall: Number(recall) } };
  return { rule, ...own[rule] };
}

// One photo's entry. `options(mode)` is what `decide` takes; scores are those of `labels` per mode.
function entryOf({ name, caption, by, problem, scores }, labels, options) {
  const named = (values) => Object.fromEntries(labels.map((label, i) => [label, values[i]]));
  const found = { scores: {}, thresholds: {}, labels: {} };
  for (const [mode, values] of Object.entries(scores)) {
    const { on, cut } = decide(values, options(mode));
    found.scores[mode] = named(values);
    found.thresholds[mode] = named(cut);
    found.labels[mode] = best(values, on).map((i) => labels[i]);
  }
  const told = { photo: name || null, caption: caption || null, caption_by: by || null, ...found };
  return problem ? { ...told, problem } : told;
}

// Places of what is on, the highest score first.
function best(scores, on) {
  return scores.map((score, i) => i).filter((i) => on[i]).sort((a, b) => scores[b] - scores[a]);
}

function toJson(head, entries) {
  return `${JSON.stringify({ ...head, photos: entries }, null, 1)}\n`;
}

function toCsv(used, entries, modes, labels) {
  const pairs = modes.flatMap((mode) => labels.map((label) => [mode, label]));
  const names = pairs.map((pair) => pair.join(" "));
  const rows = [["photo", "caption", "caption by", "rule", ...modes.map((mode) => `${mode} labels`),
    ...names, ...names.map((name) => `${name} threshold`), "problem"]];
  const rule = Object.values(used).join(" ");
  for (const told of entries) {
    const numbers = (key) => pairs.map(([mode, label]) => told[key][mode]?.[label] ?? "");
    rows.push([told.photo, told.caption, told.caption_by, rule,
      ...modes.map((mode) => (told.labels[mode] ?? []).join("; ")),
      ...numbers("scores"), ...numbers("thresholds"), told.problem]);
  }
  return rows.map((row) => `${row.map(csvCell).join(",")}\n`).join("");
}

// What a spreadsheet would take for a formula is defused; a number stays one.
function csvCell(value) {
  if (typeof value === "number") return String(value);
  const text = `${value ?? ""}`.replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function save(name, type, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
