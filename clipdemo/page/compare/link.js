// The part of a link after #, which browsers never send to a server: caption, own labels, rule and
// thresholds.

import { usedRule } from "../shared/results.js";
import { RULES, START } from "../shared/rules.js";
import { firstCharacters } from "../shared/text.js";

// `about`: {backbone, scene}, both optional.
export function writeLink(decision, caption, ownLabels, about = {}) {
  const kept = new URLSearchParams(usedRule(decision));
  for (const key of ["backbone", "scene"]) if (about[key]) kept.set(key, about[key]);
  if (caption) kept.set("caption", caption);
  if (ownLabels) kept.set("labels", ownLabels);
  for (const [label, value] of decision.own) kept.append("own", `${value}:${label}`);
  return kept;
}

// {decision, caption, ownLabels, backbone, scene}, or null if the text (any text) has none of them.
export function readLink(text, labelCount) {
  const kept = new URLSearchParams(text);
  if (!["rule", "caption", "labels", "own"].some((key) => kept.has(key))) return null;
  const rule = RULES.some(([name]) => name === kept.get("rule")) ? kept.get("rule") : START.rule;
  const decision = {
    rule,
    threshold: within(kept.get("threshold"), 0, 1, START.threshold),
    k: Math.round(within(kept.get("k"), 1, labelCount, START.k)),
    recall: within(kept.get("recall"), 0, 1, Number(START.recall)).toFixed(2),
    own: new Map(kept.getAll("own").map(ownThreshold).filter(Boolean)),
  };
  return {
    decision,
    caption: firstCharacters(kept.get("caption"), 2000),
    ownLabels: firstCharacters(kept.get("labels"), 4000),
    backbone: kept.get("backbone"),
    scene: kept.get("scene"),
  };
}

// [label, value] of "0.25:red bus".
function ownThreshold(text) {
  const [, number, label] = text.match(/^([^:]*):(.*)$/s) ?? [];
  const value = within(number, 0, 1, null);
  return value === null ? null : [label, value];
}

// A number of a link, or `otherwise` if it is not one from `low` to `high`.
function within(text, low, high, otherwise) {
  const number = Number(text || NaN);
  return number >= low && number <= high ? number : otherwise;
}
