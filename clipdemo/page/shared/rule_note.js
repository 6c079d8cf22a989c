// What a rule does, and how good its decisions were on the validation photos.

import { make } from "./dom.js";
import { modeName } from "./text.js";

const NOTES = {
  tuned: "Each label has the threshold that was best for it on validation.",
  fixed: "One threshold for all labels.",
  recall: "Each label's threshold reached this recall on validation.",
  mcut: "The threshold lies in the widest gap between the scores.",
  "top-k": "The k highest scores are on, however low they are.",
};

// `oneThreshold`: per mode {precision, recall} at thresholds of 0, 0.01, … 1, or nothing.
export function ruleNote({ rule, threshold }, oneThreshold = {}) {
  const known = Object.entries(oneThreshold).filter(([, found]) => found);
  if (rule !== "fixed" || !known.length) return [NOTES[rule]];
  const step = Math.round(100 * threshold);
  const parts = known.map(([mode, { precision, recall }]) =>
    make("span", { class: `number ${mode}` },
      `${modeName(mode)} ${share(precision[step])} / ${share(recall[step])}`));
  return ["Precision / recall on validation: ", ...parts];
}

function share(value) {
  return value === null ? "–" : value.toFixed(2);
}
