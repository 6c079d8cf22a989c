// The scene that the page opens with goes as a whole as soon as somebody brings a photo or a caption
// of their own. Who edits its caption letter by letter keeps its photo.

import { clearPhoto, photoAddress, textOf, typeInto } from "../shared/gradio.js";
import { rescore } from "./caption.js";

let example = null;  // {caption, photo: its place on the server once it is scored}

// The server has answered what the page opens with.
export function begun() {
  const caption = textOf("caption");
  if (photoAddress() && caption) example = { caption, photo: null };
  rescore();
}

// A photo was scored.
export function mindExample(photo) {
  if (!example) return;
  example.photo ??= photo;
  if (photo && photo !== example.photo) leave();
}

function leave() {
  if (textOf("caption") === example.caption) typeInto("caption", "");
  example = null;
}

document.addEventListener("change", ({ target }) => {
  if (example && target.closest("#photo")) leave();
}, true);

// Letters come as insertText; what comes in one piece is pasted, or put in by a program.
document.addEventListener("input", ({ target, inputType = "insertFromPaste" }) => {
  if (!example || !target.closest("#caption")) return;
  const whole = inputType === "insertFromPaste" && !sharesWords(target.value, example.caption);
  if (whole) clearPhoto();
  if (whole || target.value !== example.caption) example = whole ? null : example;
}, true);

function sharesWords(text, other) {
  const words = new Set(other.toLowerCase().match(/\p{L}{4,}/gu));
  return (text.toLowerCase().match(/\p{L}{4,}/gu) ?? []).some((word) => words.has(word));
}
