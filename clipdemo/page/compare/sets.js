// The labels that each mode predicts, at the top of the board.

import { button, make } from "../shared/dom.js";
import { bestFirst } from "../shared/rules.js";
import { MODE_NAMES, MODE_READS, modeName } from "../shared/text.js";
import { disputedOf } from "./verdict.js";

const BOTH = "needs photo and caption";
const NEEDS = { image: "needs a photo", text: "needs a caption", concat: BOTH, mutan: BOTH };

// One line per mode; `choose` is called with a clicked label.
export function labelSets({ modes, labels, scores }, decisions, choose) {
  const disputed = new Set(disputedOf(labels, decisions));
  const chip = (mode, i) => {
    const others = Object.keys(decisions).filter((other) => !decisions[other].on[i]);
    const node = button(labels[i], () => choose(labels[i]),
      { class: disputed.has(labels[i]) ? "chip differs" : "chip" });
    if (others.length) node.title = `not predicted by ${others.map(modeName).join(" and ")}`;
    return node;
  };
  return modes.map((mode) => {
    const decided = decisions[mode];
    const chips = decided ? bestFirst(scores[mode], decided.on).map((i) => chip(mode, i)) : [];
    if (!chips.length) chips.push(make("span", { class: "none" }, decided ? "no label" : NEEDS[mode]));
    return make("div", { class: "set", "data-mode": mode },
      make("span", { class: "title", title: MODE_READS[mode] }, MODE_NAMES[mode]), make("span", { class: "chips" }, ...chips));
  });
}
