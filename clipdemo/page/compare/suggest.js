// Suggested captions, each of which can replace the caption or be added to it.

import { button, make } from "../shared/dom.js";
import { photoAddress, textOf, typeInto } from "../shared/gradio.js";

// Two captions, joined as in the study.
export function joinedCaptions(first, second) {
  return first ? `${first}${/[.!?]$/.test(first) ? "" : "."} ${second}` : second;
}

function line(caption) {
  const add = () => typeInto("caption", joinedCaptions(textOf("caption").trim(), caption));
  return make("li", {}, make("span", {}, caption),
    button("use", () => typeInto("caption", caption), { title: "Replace the caption with it" }),
    button("add", add, { title: "Append it to the caption, as the study does" }));
}

// Whether the page shows the photo at this path of the server, in a folder named after its content.
function isHere(path) {
  return photoAddress()?.includes(path.split(/[\\/]/).at(-2)) ?? false;
}

export function mount({ element, props, watch }) {
  function show() {
    const { captions: found = [], notice = "", photo } = props.value ?? {};
    const captions = !photo || isHere(photo) ? found : [];  // else the photo has changed meanwhile
    element.replaceChildren(make("p", { role: "status" }, notice), make("ul", {}, ...captions.map(line)));
  }
  watch("value", show);
  show();
}
