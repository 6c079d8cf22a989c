// Ghosts: the scores before the caption changed or a word was switched off.

import { LEAST } from "../shared/text.js";

// The board's previous scores by mode and label, if only the caption has changed since; `before`:
// the ghosts until now. A board: {labels, scores, given: [backbone, photo, caption]}.
export function ghostsOf(last, board, before) {
  const [backbone, photo, caption] = last?.given ?? [];
  if (!board.given || board.given[0] !== backbone || board.given[1] !== photo) return {};
  if (board.given[2] === caption) return before;
  const byLabel = (values) => new Map(last.labels.map((label, i) => [label, values[i]]));
  return Object.fromEntries(Object.entries(last.scores).map(([mode, values]) => [mode, byLabel(values)]));
}

// A label's previous score if it was different; else undefined.
export function ghostOf(ghosts, mode, label, score) {
  const before = ghosts[mode]?.get(label);
  return Math.abs(score - before) < LEAST ? undefined : before;
}
