// The board's rows: per label a bar and a number for each mode, and a marker to drag its threshold.

import { button, make, scoreSlider } from "../shared/dom.js";
import { modeName, signed } from "../shared/text.js";
import { ghostOf } from "./ghosts.js";

// Rows of a board without scores. `choose(label)` is called when a name is clicked, and
// `drag(label, value)` when a marker is moved.
export function buildRows({ labels, modes, zeroShot }, choose, drag) {
  return labels.map((label) => {
    const cells = modes.map((mode) => ({
      mode,
      bar: make("div", { class: "cell", role: "img", "data-mode": mode },
        make("i", { class: "fill" }), make("i", { class: "cut" })),
      number: make("span", { class: `number ${mode}` }),
      delta: make("small", { class: `delta ${mode}` }),
    }));
    const name = button(label, () => choose(label), { class: "name" });
    const marker = scoreSlider({ class: "marker", tabindex: -1, "aria-label": `Threshold for ${label}` },
      (value) => drag(label, value));
    const row = make("div", { class: "row", role: "group", "aria-label": label, "data-label": label }, name,
      make("div", { class: "bars" }, ...cells.map(({ bar }) => bar), marker),
      make("div", { class: "numbers" }, ...cells.flatMap(({ number, delta }) => [number, delta])));
    if (zeroShot.includes(label)) {
      row.classList.add("zero-shot");
      name.title = "zero-shot: from the name alone, uncalibrated";
    }
    return { label, row, name, marker, cells };
  });
}

export function showScores(rows, { scores, truth }) {
  const any = Object.keys(scores).length > 0;
  rows.forEach(({ label, row, cells }, i) => {
    row.classList.toggle("true", truth.includes(label));
    for (const { mode, bar, number } of cells) {
      const score = scores[mode]?.[i];
      bar.dataset.score = score?.toFixed(4) ?? "";
      bar.style.setProperty("--score", score ?? 0);
      bar.classList.toggle("missing", score === undefined);
      number.textContent = score?.toFixed(2) ?? (any ? "–" : "");
    }
  });
}

// `handles`: the position of each marker, or null if none can be dragged. `folded(label, on)`:
// whether a row is hidden. Returns the number of hidden rows.
export function showDecisions(rows, decisions, handles, { rule, own }, folded) {
  let away = 0;
  rows.forEach(({ label, row, marker, cells }, i) => {
    for (const { mode, bar } of cells) {
      const on = decisions[mode]?.on[i] ?? false;
      bar.dataset.on = on;
      bar.ariaLabel = `${modeName(mode)} ${bar.dataset.score ? `${Number(bar.dataset.score).toFixed(2)}, ${on ? "on" : "off"}` : "without a score"}`;
      bar.style.setProperty("--cut", decisions[mode]?.cut[i] ?? -1);
    }
    const any = cells.some(({ bar }) => bar.dataset.on === "true");
    row.classList.toggle("on", any);
    row.classList.toggle("shared", rule === "fixed" || own.has(label));
    row.hidden = folded(label, any);
    away += row.hidden;
    marker.hidden = !handles;
    if (handles) marker.value = handles[i];
  });
  return away;
}

// Shows where each bar was before and how far it moved; returns whether any did.
export function showGhosts(rows, ghosts, scores) {
  let any = false;
  rows.forEach(({ label, cells }, i) => {
    for (const { mode, bar, delta } of cells) {
      bar.querySelector(".ghost")?.remove();
      delta.textContent = "";
      delete delta.dataset.moved;
      const score = scores[mode]?.[i];
      const before = score === undefined ? undefined : ghostOf(ghosts, mode, label, score);
      if (before === undefined) continue;
      any = true;
      const ghost = make("i", { class: "ghost", "data-before": before.toFixed(4) });
      ghost.style.setProperty("--before", before);
      bar.append(ghost);
      delta.dataset.moved = (score - before).toFixed(4);
      delta.textContent = signed(score - before).replace("0.", ".");
    }
  });
  return any;
}
