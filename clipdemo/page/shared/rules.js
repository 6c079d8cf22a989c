// What turns scores into decisions; the same rules as clipdemo/thresholds.py.

const RULES = [
  ["tuned", "tuned per label"], ["fixed", "one threshold"], ["recall", "chosen recall"],
  ["mcut", "widest gap (MCut)"], ["top-k", "top k"],
];

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

// One mode's decisions: {on: [bool], cut: [number]}, both in the order of the scores. `cut` is
// where the marker stands; `tuned` holds the mode's thresholds, those of the best F1 or of the
// chosen recall, `own` what was dragged by hand.
function decide(scores, { rule, threshold, k, tuned, own }) {
  if (rule === "mcut") {
    const cut = mcut(scores);
    return { on: scores.map((s) => s > cut), cut: scores.map(() => cut) };
  }
  if (rule === "top-k") {
    const order = scores.map((s, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
    const chosen = new Set(order.slice(0, k));
    const last = scores[order[Math.min(k, scores.length) - 1]];
    return { on: scores.map((s, i) => chosen.has(i)), cut: scores.map(() => last) };
  }
  const cut = scores.map((s, i) => own[i] ?? (rule === "fixed" ? threshold : tuned[i]));
  return { on: scores.map((s, i) => s >= cut[i]), cut };
}
