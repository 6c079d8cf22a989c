// The caption without the words that are switched off; Gradio's events call these functions.

import { page } from "../shared/store.js";

// A caption without its words that are off.
export function spoken(caption) {
  const { text, words, off } = page.state.caption;
  if (!off.size || caption !== text) return caption;
  return words.filter((word, i) => !off.has(i)).map(({ word }) => word).join(" ");
}

// The same for the caption among an event's inputs.
export function withoutWords(photo, caption, ...others) {
  return [photo, spoken(caption), ...others];
}

export function rescore() {
  page.set({ rescore: page.state.rescore + 1 });
}
