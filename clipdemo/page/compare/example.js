// The scene that the page opens with is removed as a whole as soon as the user provides a photo or
// a caption. Editing its caption letter by letter keeps its photo.

import { clearPhoto, textOf, typeInto } from "../shared/gradio.js";
import { whenArrived } from "./desk.js";

let example = null;  // {caption, photo: its path on the server once it is scored}

export function beginExample(caption) {
  example = { caption, photo: null };
}

// Whether nothing has changed since.
export function isExample() {
  return example !== null && textOf("caption") === example.caption;
}

// A photo was scored.
export function mindExample(photo) {
  if (!example) return;
  example.photo ??= photo;
  if (photo && photo !== example.photo) leave();
}

function leave() {
  const { caption } = example;
  example = null;  // first, so that the caption's listener below ignores this
  whenArrived(() => {
    if (textOf("caption") === caption) typeInto("caption", "");
  });
}

document.addEventListener("change", ({ target }) => {
  if (example && target.closest("#photo")) leave();
}, true);

document.addEventListener("input", (event) => {
  const { target } = event;
  if (!example || !target.closest("#caption") || !inOnePiece(event)) return;
  if (sharesWords(target.value, example.caption)) return;
  example = null;
  whenArrived(clearPhoto);
}, true);

// Whether a text was pasted or set by a script, not typed letter by letter.
function inOnePiece({ target, inputType = "insertFromPaste", data }) {
  return inputType === "insertFromPaste" || (data?.length > 1 && data === target.value);
}

function sharesWords(text, other) {
  const words = new Set(other.toLowerCase().match(/\p{L}{4,}/gu));
  return (text.toLowerCase().match(/\p{L}{4,}/gu) ?? []).some((word) => words.has(word));
}
