// A card per row: its photo, its labels by outcome, its caption and its finding.

import { button, choice, make } from "../shared/dom.js";
import { modeName } from "../shared/text.js";
import { STEPS, firstStep } from "./counts.js";
import { getJson } from "./server.js";
import { labelName, tab, thresholds } from "./state.js";

const FINDINGS = ["label wrong", "label right", "caption wrong", "caption silent", "hard to see", "model wrong", "note"];
const SIGNS = { found: "✓", missed: "−", false: "+", off: "" };

// `open` is called when the photo is clicked, `marked` with the server's answer to a finding.
export function buildCard(entry, open, marked) {
  const { photos, owner, key } = tab.state.about;
  const noPhoto = (text) => make("span", { class: "no-photo" }, text);
  const picture = photos
    ? make("img", { loading: "lazy", alt: entry.id, src: `inspect/photo/${entry.row}?${encodeURIComponent(key)}` })
    : noPhoto(entry.id);
  picture.addEventListener("error", () => picture.replaceWith(noPhoto("no photo")));
  const chips = make("p", { class: "chips" });
  const modes = make("p", { class: "by-mode" });
  const mark = owner ? markOf(entry, marked) : null;
  const extra = make("div", {}, ...(mark ? [mark.node] : []));
  const node = make("article", { class: "card", "data-row": entry.row, "data-id": entry.id },
    button(picture, open, { class: "open", title: `${entry.id}: open on the Compare board` }),
    make("p", { class: "file" }, entry.id), modes, chips,
    make("p", { class: "caption", title: entry.caption }, entry.caption), extra);
  return { entry, node, chips, modes, extra, keep: mark?.keep, choose: mark?.choose };
}

let saved = Promise.resolve();  // one request at a time: of two at once, either might arrive last

function save(row, finding) {
  const { key } = tab.state.about;
  saved = saved.then(() => getJson("mark", { row, finding, key }));
  return saved;
}

// The user's finding on the row; it is stored on the server.
function markOf(entry, marked) {
  const kind = choice({ "aria-label": `Finding about ${entry.id}` },
    [["", "mark …"], ...FINDINGS.map((name) => [name])], choose);
  const note = make("input", {
    type: "text", maxlength: 500, placeholder: "note", "aria-label": `Note about ${entry.id}`,
  });
  note.addEventListener("change", keepNote);
  note.addEventListener("keydown", ({ key }) => key === "Enter" && keepNote());  // again, if it failed
  const failed = make("p", { class: "failed", role: "alert" });

  // A finding of this kind about the label that is chosen now; "" removes it.
  function choose(name) {
    return keep(name ? { ...lookedAt(entry), finding: name, note: note.value } : null);
  }

  function keepNote() {
    if (note.value !== (entry.finding?.note ?? "")) keep({ ...entry.finding, note: note.value });
  }

  // `finding` is what `choose` makes, or null. Returns whether it was saved.
  async function keep(finding) {
    const before = entry.finding;
    entry.finding = finding;
    show();
    const answer = await save(entry.row, finding);
    const isSaved = !answer.notice;
    failed.textContent = isSaved ? "" : `Not saved. ${answer.notice}`;
    if (isSaved) marked(answer);
    else if (entry.finding === finding) entry.finding = before;
    show();
    return isSaved;
  }

  function show() {
    kind.value = entry.finding?.finding ?? "";
    // An answer may arrive while the note is being typed.
    if (note !== document.activeElement) note.value = entry.finding?.note ?? "";
    note.hidden = !kind.value;
  }

  show();
  return { node: make("div", { class: "mark" }, kind, note, failed), keep, choose };
}

// What a finding is about: the chosen label, if any, with its current score and threshold.
function lookedAt({ steps }) {
  const { view } = tab.state;
  if (view.label === null) return { mode: view.mode };
  const score = steps[view.mode]?.[view.label];
  return {
    mode: view.mode, label: labelName(), score: score === undefined ? "" : score / STEPS,
    threshold: thresholds(view.mode)[view.label].toFixed(4),
  };
}

// Shows the row's current decisions.
export function paintCard({ entry, chips, modes }) {
  const { labels, view } = tab.state;
  const cuts = thresholds(view.mode);
  const scores = entry.steps[view.mode];
  const on = (label) => Boolean(scores && scores[label] >= firstStep(cuts[label]));
  const isTrue = (label) => entry.truth.includes(label);
  const shown = [...labels.keys()].filter((label) => isTrue(label) || on(label) || label === view.label);
  shown.sort((a, b) => (b === view.label) - (a === view.label));
  chips.replaceChildren(...shown.map((label) => {
    const outcome = isTrue(label) ? (on(label) ? "found" : "missed") : on(label) ? "false" : "off";
    const score = scores ? ` ${(scores[label] / STEPS).toFixed(2)}` : "";
    const doubt = entry.suspects.includes(label);
    const title = `${outcome === "off" ? "not predicted" : outcome}; threshold ${cuts[label].toFixed(2)}`
      + (doubt ? `; the table may be wrong to ${isTrue(label) ? "have" : "lack"} it` : "");
    return make("span", { class: `chip ${outcome}`, "data-label": labels[label], title },
      `${SIGNS[outcome]} ${labels[label]}${score}${doubt ? " ?" : ""}`);
  }));
  paintModes(modes, entry.steps);
}

// Shows each mode's score of the chosen label.
function paintModes(line, steps) {
  const { modes, view } = tab.state;
  line.hidden = view.label === null || modes.length < 2;
  if (line.hidden) return;
  line.replaceChildren(...modes.filter((mode) => steps[mode]).map((mode) => {
    const score = steps[mode][view.label];
    const on = score >= firstStep(thresholds(mode)[view.label]);
    return make("span", { "data-mode": mode, class: on ? "on" : "" },
      `${modeName(mode)} ${(score / STEPS).toFixed(2)}${on ? " ✓" : ""}`);
  }));
}
