// How often a label is wrong at any threshold, from counts of scores per step, which are sent once.
// A threshold then costs a few additions, however many rows the table has.

export const STEPS = 10000;  // of a score, as clipdemo/inspection/predictions.py has them

// The lowest step that reaches a threshold, as `first_step` there.
export function firstStep(threshold) {
  let step = Math.max(Math.floor(threshold * STEPS) - 1, 0);
  while (step <= STEPS && step / STEPS < threshold) step += 1;
  return step;
}

// How many rows are at or above each step: [mode][label] {others, trues, ap}, by whether they have
// the label. `counts`: Uint32Array [M, L, 2, STEPS + 1], those that have it second.
export function countAbove(counts, modes, labels) {
  const size = STEPS + 1;
  const above = (m, l, truth) => {
    const start = ((m * labels.length + l) * 2 + truth) * size;
    const sums = new Uint32Array(size + 1);
    for (let step = STEPS; step >= 0; step--) sums[step] = sums[step + 1] + counts[start + step];
    return sums;
  };
  return modes.map((mode, m) => labels.map((label, l) => {
    const [others, trues] = [above(m, l, 0), above(m, l, 1)];
    return { others, trues, ap: averagePrecision(others, trues) };
  }));
}

// All labels of a mode together.
export function addedUp(entries) {
  const sum = (key) => {
    const total = new Uint32Array(STEPS + 2);
    for (const entry of entries) entry[key].forEach((n, i) => { total[i] += n; });
    return total;
  };
  return { others: sum("others"), trues: sum("trues") };
}

// As in scikit-learn: the mean precision, weighted by the gain in recall at each score; null if no
// row is true.
function averagePrecision(others, trues) {
  if (!trues[0]) return null;
  let sum = 0;
  for (let step = STEPS; step >= 0; step--) {
    const gained = trues[step] - trues[step + 1];
    if (gained) sum += gained * trues[step] / (trues[step] + others[step]);
  }
  return sum / trues[0];
}

function rates({ support, found, wrong }) {
  const precision = found + wrong ? found / (found + wrong) : 0;
  const recall = support ? found / support : 0;
  const f1 = precision + recall ? 2 * precision * recall / (precision + recall) : 0;
  return { support, found, wrong, missed: support - found, precision, recall, f1 };
}

function ratesAt({ others, trues }, step) {
  return rates({ support: trues[0], found: trues[step], wrong: others[step] });
}

export function figuresOf(entry, threshold) {
  return { ...ratesAt(entry, firstStep(threshold)), ap: entry.ap };
}

// All labels together: counts added up, and the mean of the average precisions.
export function overall(figures) {
  const sum = (key) => figures.reduce((total, f) => total + f[key], 0);
  const known = figures.map((f) => f.ap).filter((ap) => ap !== null);
  const all = rates({ support: sum("support"), found: sum("found"), wrong: sum("wrong") });
  return { ...all, ap: known.length ? known.reduce((a, b) => a + b) / known.length : null };
}

// The threshold with the highest F1, halfway between the neighbouring scores.
export function bestF1(entry) {
  const { others, trues } = entry;
  const best = { f1: 0, threshold: 0.5 };
  let open = false;
  let above = STEPS + 1;
  for (let step = STEPS; step >= 0; step--) {
    if (trues[step] + others[step] === trues[step + 1] + others[step + 1]) continue;
    if (open) best.threshold = (above + step) / 2 / STEPS;
    open = false;
    above = step;
    const { f1 } = ratesAt(entry, step);
    if (f1 > best.f1) {
      best.f1 = f1;
      open = true;
    }
  }
  if (open) best.threshold = above / 2 / STEPS;
  return best;
}

// Points of the precision-recall curve, from the highest threshold on.
export function precisionRecall({ others, trues }) {
  const points = { x: [], y: [] };
  let last = 0;
  for (let step = STEPS; step >= 0 && trues[0]; step--) {
    const predicted = trues[step] + others[step];
    if (predicted === last) continue;
    last = predicted;
    points.x.push(trues[step] / trues[0]);
    points.y.push(trues[step] / predicted);
  }
  return points;
}

// The share of true labels by mean score, in bins of equal width; `customdata` is their size.
export function reliability({ others, trues }, bins = 10) {
  const points = { x: [], y: [], customdata: [] };
  for (let bin = 0; bin < bins; bin++) {
    const [low, high] = [bin, bin + 1].map((edge) => Math.round(edge * STEPS / bins) + (edge === bins));
    let sum = 0;
    for (let step = low; step < high; step++) {
      sum += step * (trues[step] - trues[step + 1] + others[step] - others[step + 1]);
    }
    const right = trues[low] - trues[high];
    const all = right + others[low] - others[high];
    if (!all) continue;
    points.x.push(sum / all / STEPS);
    points.y.push(right / all);
    points.customdata.push(all);
  }
  return points;
}
