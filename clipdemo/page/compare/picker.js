// The state of a chosen backbone: a sentence, and a bar while it is downloaded.

import { make } from "../shared/dom.js";

export function mount({ element, props, watch }) {
  const sentence = make("p", { role: "status" });
  const bar = make("progress");
  function show() {
    const { text = "", done = 0, total = 0 } = props.value ?? {};
    sentence.textContent = text;
    bar.hidden = !total;
    bar.max = total || 1;
    bar.value = done;
  }
  element.replaceChildren(sentence, bar);
  watch("value", show);
  show();
}
