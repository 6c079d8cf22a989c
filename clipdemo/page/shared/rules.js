// The rules that turn scores into decisions, the same as in clipdemo/model/thresholds.py.

export const RULES = [
  ["tuned", "tuned per label"], ["fixed", "one threshold"], ["recall", "chosen recall"],
  ["mcut", "widest gap (MCut)"], ["top-k", "top k"],
];
// These compare each score with a threshold; the others look at all scores of a photo together.
export const THRESHOLD_RULES = RULES.slice(0, 3);

// `own`: thresholds of single labels, by name.
export const START = { rule: "tuned", threshold: 0.5, recall: "0.90", k: 3, own: new Map() };

// One mode's thresholds in the order of the labels. `tuned` are those of the best F1, `recalls` those
// of each recall that can be chosen.
export function thresholdsOf(labels, { rule, threshold, recall, own }, tuned, recalls = {}) {
  const known = (rule === "recall" && recalls[recall]) || tuned;
  return labels.map((label, i) => own.get(label) ?? (rule === "fixed" ? threshold : known[i]));
}

// The value in the middle of the widest gap between neighbouring sorted scores.
function mcut(scores) {
  if (scores.length < 2) return 0.5;
  const sorted = [...scores].sort((a, b) => b - a);
  let widest = 0;
  for (let i = 1; i + 1 < sorted.length; i++) {
    if (sorted[i] - sorted[i + 1] > sorted[widest] - sorted[widest + 1]) widest = i;
  }
  return (sorted[widest] + sorted[widest + 1]) / 2;
}

// One mode's decisions: {on: [bool], cut: [number]}, both in the order of the scores; `cut` is the
// score that decides.
export function decide(scores, { rule, k }, thresholds) {
  if (rule === "mcut") {
    const cut = mcut(scores);
    return { on: scores.map((score) => score > cut), cut: scores.map(() => cut) };
  }
  if (rule === "top-k") {
    const order = scores.map((score, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
    const chosen = new Set(order.slice(0, k));
    const last = scores[order[Math.min(k, scores.length) - 1]];
    return { on: scores.map((score, i) => chosen.has(i)), cut: scores.map(() => last) };
  }
  return { on: scores.map((score, i) => score >= thresholds[i]), cut: thresholds };
}

// Indices of the labels that are on, highest score first.
export function bestFirst(scores, on) {
  const places = scores.map((score, i) => i).filter((i) => on[i]);
  return places.sort((a, b) => scores[b] - scores[a]);
}

// Recalls for which every mode has thresholds. `modes`: per mode {recall: thresholds}.
export function commonRecalls(modes) {
  const [first = {}, ...others] = modes;
  return Object.keys(first).filter((key) => others.every((other) => key in other)).sort();
}

// The decision, adapted to heads that have thresholds for these recalls only.
export function usable(decision, recalls) {
  const { rule, recall } = decision;
  return {
    ...decision,
    rule: rule === "recall" && !recalls.length ? START.rule : rule,
    recall: recalls.includes(recall) ? recall : recalls.at(-1) ?? START.recall,
  };
}
