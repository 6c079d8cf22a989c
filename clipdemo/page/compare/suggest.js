// Suggested captions, each to take instead of the caption or to add to it.

import { button, make } from "../shared/dom.js";
import { textOf, typeInto } from "../shared/gradio.js";

// A caption with another one behind it, as the study joins them.
export function joinedCaptions(first, second) {
  return first ? `${first}${/[.!?]$/.test(first) ? "" : "."} ${second}` : second;
}

function line(caption) {
  const add = () => typeInto("caption", joinedCaptions(textOf("caption").trim(), caption));
  return make("li", {}, make("span", {}, caption),
    button("use", () => typeInto("caption", caption), { title: "Put it in place of the caption" }),
    button("add", add, { title: "Put it behind the caption, as the study does" }));
}

export function mount({ element, props, watch }) {
  function show() {
    const { captions = [], notice = "" } = props.value ?? {};
    element.replaceChildren(make("p", { role: "status" }, notice), make("ul", {}, ...captions.map(line)));
  }
  watch("value", show);
  show();
}
