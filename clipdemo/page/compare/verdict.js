// The sentence at the top of the board: what the modes disagree on.

import { MODE_NAMES } from "../shared/text.js";

// Whether any head reads photos (image) or captions (text): all but the other single-input mode do.
export function reads(modes, kind) {
  const other = { image: "text", text: "image" }[kind];
  return modes.some((mode) => mode !== other);
}

// How many modes predict each label.
function votesOf(labels, decisions) {
  return labels.map((label, i) => Object.values(decisions).filter(({ on }) => on[i]).length);
}

// Labels that some modes predict and others do not.
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
  if (present.length === 1) return `Only ${MODE_NAMES[present[0]]} has scores so far.`;
  const disputed = disputedOf(labels, decisions);
  if (!disputed.length) return agreed(labels, decisions);
  if (disputed.length > 5) return `The modes disagree on ${disputed.length} labels.`;
  return dispute(decisions, labels, disputed);
}

function agreed(labels, decisions) {
  const [first] = Object.values(decisions);
  const on = labels.filter((label, i) => first.on[i]);
  return on.length ? `All modes agree: ${on.join(", ")}.` : "No mode finds any label.";
}

function inputsOf(modes) {
  if (!reads(modes, "text")) return "a photo";
  if (!reads(modes, "image")) return "a caption";
  return "a photo, a caption or both";
}

// What concat makes of each label that image and text disagree on.
function dispute(decisions, labels, disputed) {
  const says = (mode, label) => decisions[mode]?.on[labels.indexOf(label)] ?? false;
  const source = (label) => {
    const [image, text] = [says("image", label), says("text", label)];
    if (image === text) return image ? "image and text" : "neither image nor text";
    return image ? "image only" : "text only";
  };
  const listed = (found) => [...new Set(found.map(source))].map((from) =>
    `${found.filter((label) => source(label) === from).join(", ")} (${from})`).join(", ");
  if (!decisions.concat) return `The modes disagree on ${listed(disputed)}.`;
  const kept = disputed.filter((label) => says("concat", label));
  const dropped = disputed.filter((label) => !says("concat", label));
  const parts = [["finds", kept], ["leaves out", dropped]].filter(([, found]) => found.length);
  return `Disputed: Concat ${parts.map(([what, found]) => `${what} ${listed(found)}`).join(" and ")}.`;
}
