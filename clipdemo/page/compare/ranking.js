// The order in which labels are shown, and the label that words and map show.

// Indices of the labels from top to bottom. `scores`: per mode, in the order of the labels.
export function ranked(labels, scores, order) {
  const places = labels.map((label, i) => i);
  if (order === "name") return places.sort((a, b) => labels[a].localeCompare(labels[b]));
  const key = order === "score" ? highest : spread;
  return places.sort((a, b) => key(scores, b) - key(scores, a));
}

function highest(scores, i) {
  return Math.max(...Object.values(scores).map((values) => values[i]), -1);
}

function spread(scores, i) {
  const values = Object.values(scores).map((mode) => mode[i]);
  return values.length > 1 ? Math.max(...values) - Math.min(...values) : 0;
}

// The highest label that the modes disagree on, else the highest that is on, else the highest.
export function topLabel(labels, scores, decisions) {
  const places = labels.map((label, i) => i);
  const said = (i) => new Set(Object.values(decisions).map(({ on }) => on[i]));
  const rank = (i) => said(i).has(true) + (said(i).size > 1);
  places.sort((a, b) => rank(b) - rank(a) || highest(scores, b) - highest(scores, a));
  return labels[places[0]];
}
