// The sentence on top of the board: what the modes disagree on.

import { MODE_NAMES } from "../shared/text.js";

// Whether any head reads photos (image) or captions (text); all but the one of the other kind do.
export function reads(modes, kind) {
  const other = { image: "text", text: "image" }[kind];
  return modes.some((mode) => mode !== other);
}

// How many modes say each label.
function votesOf(labels, decisions) {
  return labels.map((label, i) => Object.values(decisions).filter(({ on }) => on[i]).length);
}

// Labels that some modes say and others do not.
export function disputedOf(labels, decisions) {
  const present = Object.keys(decisions).length;
  const votes = votesOf(labels, decisions);
  return labels.filter((label, i) => votes[i] > 0 && votes[i] < present);
}

export function verdictOf({ modes, labels, waiting }, decisions) {
  const present = Object.keys(decisions);
  if (waiting) return "Loading the model; the page is ready in a few seconds …";
  if (!present.length) return `Give it ${inputsOf(modes)}, or choose a scene.`;
  if (modes.length === 1) {
    return `${votesOf(labels, decisions).filter(Boolean).length} of ${labels.length} labels.`;
  }
  if (present.length === 1) return `${MODE_NAMES[present[0]]} alone so far.`;
  const disputed = disputedOf(labels, decisions);
  if (!disputed.length) return "All agree.";
  if (disputed.length > 5) return `They disagree on ${disputed.length} labels.`;
  return dispute(labels, decisions, disputed);
}

function inputsOf(modes) {
  if (!reads(modes, "text")) return "a photo";
  if (!reads(modes, "image")) return "a caption";
  return "a photo, a caption or both";
}

// Who says what the others do not.
function dispute(labels, decisions, disputed) {
  const says = (mode, label) => decisions[mode]?.on[labels.indexOf(label)] ?? false;
  const parts = [
    ["the caption adds", false, true], ["only the photo shows", true, false],
    ["both together add", false, false], ["both together drop", true, true],
  ].map(([what, photo, caption]) => [what, disputed.filter((label) =>
    says("image", label) === photo && says("text", label) === caption)]);
  const sentence = parts.filter(([, found]) => found.length)
    .map(([what, found]) => `${what} ${found.join(", ")}`).join("; ");
  return `${sentence[0].toUpperCase()}${sentence.slice(1)}.`;
}
