// The strip of example scenes.

import { button, make } from "../shared/dom.js";
import { rescore } from "./caption.js";
import { put } from "./desk.js";
import { beginExample } from "./example.js";
import { remembered } from "./memory.js";

export function mount({ element, props, trigger }) {
  const pick = (name) => put(() => trigger("pick", { name }));
  const buttons = props.scenes.map(({ name, caption, thumbnail }) => button(
    make("img", { src: thumbnail, alt: `Scene ${name}: ${caption}` }),
    () => pick(name), { title: caption }));
  element.replaceChildren(
    make("p", {}, "Or start from a drawn scene.",
      make("span", { class: "captioned" }, " Its caption names only some of what is there:")),
    make("div", { class: "strip" }, ...buttons));
  const first = props.scenes.find(({ name }) => name === props.start);
  if (first && location.hash.length < 2 && !remembered()) {
    beginExample(first.caption);
    pick(first.name);
  } else {
    rescore();
  }
}
