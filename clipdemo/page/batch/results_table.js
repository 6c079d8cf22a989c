// A photo's results as a row of the table and as a tile of the gallery.

import { button, make } from "../shared/dom.js";
import { bestFirst } from "../shared/rules.js";
import { MODE_NAMES } from "../shared/text.js";

const ZERO_SHOT = { class: "chip zero-shot", title: "Zero-shot: from the label's name alone, uncalibrated" };
// Columns of the table as [key, title].
export function columnsOf(modes) {
  return [["name", "File"], ["caption", "Caption"], ...modes.map((mode) => [mode, MODE_NAMES[mode]])];
}

// The key by which a column sorts a result: text, or a mode's score of a label (its index; -1: the
// highest score).
function sortKey(result, column, label) {
  if (column === "name" || column === "caption") return result[column] ?? "";
  const scores = result.scores[column];
  if (!scores) return -1;
  return label >= 0 ? scores[label] : Math.max(...scores);
}

// Items in the order of a column; `get` returns an item's result.
export function sorted(items, get, column, down, label) {
  const compare = (a, b) => {
    const [x, y] = [a, b].map((item) => sortKey(get(item), column, label));
    return typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : x - y;
  };
  return [...items].sort((a, b) => (down ? compare(b, a) : compare(a, b)));
}

// A button that opens the photo on the Compare board; disabled without photo and caption.
function opener(result, open, className) {
  const picture = result.thumbnail
    ? make("img", { src: result.thumbnail, alt: "", loading: "lazy", decoding: "async" })
    : make("span", { class: "blank" }, result.problem ? "!" : "“ ”");
  const title = `${result.name}: open on the Compare board`;
  const node = button(picture, open, { class: className, title });
  node.disabled = !Object.keys(result.scores).length;
  return node;
}

export function buildRow(result, modes, open) {
  const name = opener(result, open, "photo");
  name.append(make("span", { class: "name" }, result.name));
  const caption = make("td", { class: "caption" }, result.caption ?? "");
  if (result.by === "model") caption.append(make("small", {}, " written by the model"));
  if (result.problem) caption.append(make("small", { class: "problem" }, result.problem));
  const cells = modes.map((mode) => ({ mode, cell: make("td", { "data-mode": mode }) }));
  const row = make("tr", { "data-photo": result.name }, make("th", { scope: "row" }, name), caption,
    ...cells.map(({ cell }) => cell));
  const labels = make("span", { class: "name" });
  const tile = opener(result, open, "tile");
  tile.append(labels);
  return { result, row, tile, labels, cells };
}

// `decisions`: per mode; `run` names the labels; `label`: index of the one whose scores are shown,
// or -1 to show those that are on.
export function showDecisions({ result, labels, cells }, decisions, run, label) {
  const names = run.labels;
  for (const { mode, cell } of cells) {
    cell.replaceChildren(...cellContent(result.scores[mode], decisions[mode]?.on, run, label));
  }
  const last = Object.keys(decisions).at(-1);
  const on = last ? bestFirst(result.scores[last], decisions[last].on) : [];
  labels.textContent = on.map((i) => names[i]).join(", ") || (last ? "no label" : result.name);
}

function cellContent(scores, on, { labels, zeroShot }, label) {
  if (!scores) return ["–"];
  if (label >= 0) {
    return [make("span", { class: on[label] ? "number on" : "number" }, scores[label].toFixed(2))];
  }
  const chips = bestFirst(scores, on).map((i) =>
    make("span", zeroShot.includes(labels[i]) ? ZERO_SHOT : { class: "chip" },
      labels[i], " ", make("b", {}, scores[i].toFixed(2))));
  return chips.length ? chips : [make("span", { class: "none" }, "no label")];
}
