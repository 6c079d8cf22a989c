// How often each label goes wrong at any threshold: from counts of scores per step, sent once. A
// threshold then costs a few additions, however many rows the table has.

const STEPS = 10000;
const inspected = { labels: [], modes: [], about: null, above: [], precision: [] };

// The lowest step that reaches a threshold, as predictions.first_step has it.
function firstStep(threshold) {
  let step = Math.max(Math.floor(threshold * STEPS) - 1, 0);
  while (step <= STEPS && step / STEPS < threshold) step += 1;
  return step;
}

// `counts`: Uint32Array [M, L, 2, STEPS + 1], true ones second. Keeps how many stand at or above
// each step, by mode, label and truth.
function takeCounts(about, counts) {
  const { labels, modes } = about;
  Object.assign(inspected, { about, labels, modes: Object.keys(modes), precision: [] });
  const size = STEPS + 1;
  inspected.above = inspected.modes.map((mode, m) => labels.map((label, l) => [0, 1].map((truth) => {
    const start = ((m * labels.length + l) * 2 + truth) * size;
    const above = new Uint32Array(size + 1);
    for (let step = STEPS; step >= 0; step--) above[step] = above[step + 1] + counts[start + step];
    return above;
  })));
  inspected.precision = inspected.above.map((row) => row.map(averagePrecision));
}

// As scikit-learn: the mean of precision, weighted by what recall gains at each score; null without
// any true row.
function averagePrecision([others, trues]) {
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

function figuresOf(m, l, threshold) {
  const step = Math.min(firstStep(threshold), STEPS + 1);
  const [others, trues] = inspected.above[m][l];
  const figures = rates({ support: trues[0], found: trues[step], wrong: others[step] });
  return { ...figures, ap: inspected.precision[m][l] };
}

// The threshold with the highest F1, in the middle between the scores beside it.
function bestF1(m, l) {
  const [others, trues] = inspected.above[m][l];
  const best = { f1: 0, threshold: 0.5 };
  let above = STEPS + 1;
  for (let step = STEPS; step >= 0; step--) {
    if (trues[step] + others[step] === trues[step + 1] + others[step + 1]) continue;
    if (best.open) Object.assign(best, { open: false, threshold: (above + step) / 2 / STEPS });
    above = step;
    const { f1 } = rates({ support: trues[0], found: trues[step], wrong: others[step] });
    if (f1 > best.f1) Object.assign(best, { f1, open: true });
  }
  if (best.open) best.threshold = above / 2 / STEPS;
  return best;
}

// All labels together: counts added up, and the mean of the average precisions.
function overall(figures) {
  const sum = (key) => figures.reduce((total, f) => total + f[key], 0);
  const known = figures.map((f) => f.ap).filter((ap) => ap !== null);
  const all = rates({ support: sum("support"), found: sum("found"), wrong: sum("wrong") });
  return { ...all, ap: known.length ? known.reduce((a, b) => a + b) / known.length : null };
}

// [others, trues] of a label, or of all labels together.
function aboveOf(m, label) {
  if (label !== null) return inspected.above[m][label];
  return [0, 1].map((truth) => {
    const sum = new Uint32Array(STEPS + 2);
    for (const above of inspected.above[m]) above[truth].forEach((n, i) => { sum[i] += n; });
    return sum;
  });
}
