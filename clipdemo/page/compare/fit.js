// How well photo and caption fit, compared with the validation pairs.

import { make } from "../shared/dom.js";

// `fit`: {similarity, better_than, n, matching, mismatched}, the last two quartiles from 0 to 4.
export function fitSentence(fit) {
  if (!fit) return "";
  const similarity = fit.similarity.toFixed(2);
  if (fit.better_than == null) {
    return `Similarity of photo and caption: ${similarity}. This model has no validation pairs to`
      + " compare it with.";
  }
  return `Photo and caption match better than ${Math.round(100 * fit.better_than)}% of ${fit.n}`
    + ` validation pairs (similarity ${similarity}). Orange: the middle half of these; grey: that`
    + " of photos with the captions of other photos.";
}

export function fitGauge(fit) {
  const gauge = make("div", { class: "gauge" });
  gauge.classList.toggle("none", !fit);
  gauge.hidden = Boolean(fit) && fit.better_than == null;
  if (!fit || gauge.hidden) return gauge;
  const { similarity, matching, mismatched } = fit;
  const low = Math.min(matching[0], mismatched[0]);
  const high = Math.max(matching[4], mismatched[4]);
  const place = (x) => `${100 * Math.min(Math.max((x - low) / (high - low), 0), 1)}%`;
  const band = (name, quartiles, title) => {
    const node = make("i", { class: name, title });
    node.style.left = place(quartiles[1]);
    node.style.right = `calc(100% - ${place(quartiles[3])})`;
    return node;
  };
  const mark = make("b");
  mark.style.left = place(similarity);
  gauge.append(band("mismatched", mismatched, "The middle half of captions of other photos"),
    band("matching", matching, "The middle half of the validation pairs"), mark);
  return gauge;
}
