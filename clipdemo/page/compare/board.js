// The board: a row per label, a bar per mode, and markers that move without a request.

import { button, choice, make, roving, debounced } from "../shared/dom.js";
import { decisionControls } from "../shared/decision_controls.js";
import {
  RULES, START, THRESHOLD_RULES, commonRecalls, decide, thresholdsOf, usable,
} from "../shared/rules.js";
import { ruleNote } from "../shared/rule_note.js";
import { page } from "../shared/store.js";
import { modeName } from "../shared/text.js";
import { mindExample } from "./example.js";
import { ghostOf, ghostsOf } from "./ghosts.js";
import { ranked, topLabel } from "./ranking.js";
import { buildRows, showDecisions, showGhosts, showScores } from "./rows.js";
import { labelSets } from "./sets.js";
import { sharing } from "./share.js";
import { disputedOf, reads, verdictOf } from "./verdict.js";

const CHANGED = 0.05;  // a smaller change does not unhide a label
const FEW = 3;  // rows to show if no label is on
const EMPTY = {
  modes: [], labels: [], zeroShot: [], tuned: {}, recall: {}, oneThreshold: {}, scores: {}, truth: [],
  notice: "",
};

export function mount({ element, props, watch, trigger }) {
  let board = EMPTY;
  let rows = [];
  let ghosts = {};
  let lastPhoto = null;  // path on the server of the last photo that could be read

  const verdict = make("p", { class: "verdict", role: "status" });
  const notice = make("p", { class: "notice", role: "alert" });
  const sets = make("div", { class: "sets", role: "group", "aria-label": "What each mode says" });
  const kind = make("p", { class: "kind" }, "Zero-shot: from the labels' names alone, uncalibrated.");
  const known = make("p", { class: "known" }, "✓ marks the labels in the table.");
  const body = make("div", { class: "rows" });
  const hint = make("p", { class: "hint" });
  const deciding = decisionControls(RULES, "labels", change);
  const [rule, recall] = deciding.fields;
  rule.id = "rule";
  recall.id = "recall";
  deciding.nodes[1].id = "threshold";
  const sort = choice({ id: "sort", "aria-label": "Order of the rows" },
    [["score", "score"], ["name", "name"], ["differ", "disagreement"]], arrange);
  let unfolded = false;  // whether labels that no mode predicts are shown as well
  let highest = [];  // labels that are shown because none is on
  const more = button("", () => {
    unfolded = !unfolded;
    paint();
  }, { class: "more" });
  const moved = make("span", { class: "moved" }, "○ before the last change. ",
    button("Dismiss", dismiss, { id: "dismiss" }));
  const note = make("p", { class: "note" });
  const controls = make("div", { class: "controls" }, ...deciding.nodes,
    make("label", {}, "Sort ", sort), button("Reset", reset), note);

  function change(changes) {
    unfolded ||= "threshold" in changes;  // to see which labels the slider turns on next
    page.set({ decision: { ...page.state.decision, ...changes } });
  }

  function drag(label, value) {
    change({ own: new Map(page.state.decision.own).set(label, value) });
  }

  function reset() {
    sort.value = "score";
    unfolded = false;
    arrange();
    page.set({ decision: START });
  }

  // The decision chosen on any tab, as far as these heads have thresholds for it.
  function decision() {
    return usable(page.state.decision, commonRecalls(Object.values(board.recall)));
  }

  function thresholds(mode) {
    return thresholdsOf(board.labels, decision(), board.tuned[mode], board.recall[mode]);
  }

  function decisions() {
    return Object.fromEntries(Object.entries(board.scores).map(([mode, scores]) =>
      [mode, decide(scores, decision(), thresholds(mode))]));
  }

  // If each mode has its own threshold, the handle is at that of the last mode.
  function handles() {
    if (!THRESHOLD_RULES.some(([name]) => name === decision().rule)) return null;
    return thresholds(Object.keys(board.scores).at(-1) ?? board.modes.at(-1));
  }

  // The threshold of the label that words and map show, as a number.
  const ownName = make("b");
  const ownNumber = make("input", { type: "number", min: 0, max: 1, step: 0.01 });
  ownNumber.addEventListener("input", () => {
    if (ownNumber.value) drag(page.state.label, Math.min(Math.max(Number(ownNumber.value), 0), 1));
  });
  ownNumber.addEventListener("change", showOwn);
  const ownReset = button("Undo", () => {
    const own = new Map(page.state.decision.own);
    own.delete(page.state.label);
    change({ own });
  });
  const ownLine = make("p", { class: "own" },
    make("label", {}, "Threshold of ", ownName, " ", ownNumber), " ", ownReset, moved);

  function ownCut() {
    return handles()?.[board.labels.indexOf(page.state.label)];
  }

  function showOwn() {
    ownNumber.value = ownCut()?.toFixed(2) ?? "";
  }

  function paintOwn() {
    const { label } = page.state;
    ownLine.classList.toggle("none", ownCut() === undefined || !Object.keys(board.scores).length);
    ownName.textContent = label ?? "";
    if (document.activeElement !== ownNumber) showOwn();
    ownReset.hidden = !decision().own.has(label);
  }

  function paint() {
    const found = decisions();
    deciding.show(decision());
    note.replaceChildren(...ruleNote(decision(), board.oneThreshold));
    paintLabel();
    const any = Object.values(found).some(({ on }) => on.includes(true));
    highest = any ? [] : ranked(board.labels, board.scores, "score").slice(0, FEW).map((i) => board.labels[i]);
    const away = showDecisions(rows, found, handles(), decision(), folded);
    more.hidden = !unfolded && !away;
    more.textContent = unfolded ? "Show fewer labels" : `Show all ${rows.length} labels`;
    sets.replaceChildren(...labelSets(board, found, choose));
    verdict.textContent = verdictOf(board, found);
    verdict.classList.toggle("disputed", disputedOf(board.labels, found).length > 0);
  }

  // Hidden: labels that no mode predicts, unless they were typed, are true or have just changed.
  function folded(label, said) {
    if (unfolded || said || !Object.keys(board.scores).length) return false;
    if (label === page.state.label || board.truth.includes(label) || highest.includes(label)) return false;
    if (board.head !== "zero-shot" && board.zeroShot.includes(label)) return false;
    const i = board.labels.indexOf(label);
    return !Object.entries(board.scores).some(([mode, scores]) =>
      Math.abs(scores[i] - (ghostOf(ghosts, mode, label, scores[i]) ?? scores[i])) >= CHANGED);
  }

  function arrange() {
    body.replaceChildren(...ranked(board.labels, board.scores, sort.value).map((i) => rows[i].row));
  }

  function paintGhosts(shown) {
    ghosts = shown;
    moved.classList.toggle("none", !showGhosts(rows, ghosts, board.scores));
  }

  function dismiss() {
    paintGhosts({});
    paint();
  }

  function choose(label) {
    page.set({ chosen: label });
  }

  // The label clicked last, else the first one.
  function labelNow() {
    const { chosen } = page.state;
    return board.labels.includes(chosen) ? chosen : topLabel(board.labels, board.scores, decisions());
  }

  function paintLabel() {
    const any = page.state.modes.length > 0;
    for (const { label, name } of rows) {
      name.setAttribute("aria-pressed", any && label === page.state.label);
    }
    paintOwn();
  }

  // For another set of labels or modes.
  function build() {
    const { modes } = board;
    rows = buildRows(board, choose, drag);
    element.style.setProperty("--modes", modes.length);
    sort.querySelector("[value=differ]").hidden = modes.length < 2;
    document.body.classList.toggle("no-captions", !reads(modes, "text"));
    document.body.classList.toggle("no-photos", !reads(modes, "image"));
    const bars = modes.length > 1 ? `Bars from top: ${modes.map(modeName).join(", ")}. ` : "";
    hint.textContent = `${bars}The mark on a bar is its threshold; a strong bar has passed it and its`
      + " label is on. Move the slider, or drag a row's own mark. Click a label to see which words contribute to it.";
  }

  // If a photo cannot be read, the last one that could be is offered.
  function paintNotice() {
    const photo = board.given?.[1] && (board.photo ?? lastPhoto);
    const again = button("Back to the previous photo", () => page.set({ again: photo }));
    const said = page.state.refused ?? board.notice ?? "";
    notice.replaceChildren(said, ...(photo && !board.photo ? [" ", again] : []));
    notice.hidden = !said;
    if (!board.waiting) lastPhoto = photo ?? null;
  }

  // props.value comes from `frame` and `scored` of board.py; an error has nothing but its notice.
  function receive() {
    const last = board;
    board = { ...last, ...props.value };
    // Decisions use the four decimals that are shown.
    board.scores = Object.fromEntries(Object.entries(board.scores).map(([mode, scores]) =>
      [mode, scores.map((score) => Number(score.toFixed(4)))]));
    const shape = ({ modes, labels, zeroShot }) => JSON.stringify([modes, labels, zeroShot]);
    if (shape(board) !== shape(last)) build();
    deciding.offer(commonRecalls(Object.values(board.recall)), board.labels.length);
    element.classList.toggle("waiting", board.waiting);
    kind.hidden = board.head !== "zero-shot";
    known.hidden = !board.truth.length;
    page.set({ refused: null });  // paints the notice
    mindExample(board.given?.[1] ?? null);
    showScores(rows, board);
    paintGhosts(ghostsOf(last, board, ghosts));
    arrange();
    page.set({  // paints the rest
      labels: board.labels, modes: Object.keys(board.scores), label: labelNow(), backbone: board.backbone,
      ...(board.waiting ? {} : { scored: page.state.scored + 1 }),
    });
  }

  page.on(["decision", "label"], paint);
  page.on(["chosen"], () => page.set({ label: labelNow() }));
  page.on(["refused"], paintNotice);
  page.on(["rescore"], () => trigger("input"));
  const typed = debounced(() => trigger("input"), 300);
  document.addEventListener("input", (event) => {
    if (event.target.closest?.("#caption, #own-labels")) typed();
  });

  element.replaceChildren(verdict, notice, sets, kind, controls, ownLine, known, body, more, hint);
  roving(sets, "button");
  roving(body, ".name");
  watch("value", receive);
  receive();
  if (page.state.rescore) trigger("input");
  element.append(...sharing(() => board, decision, decisions));
}
