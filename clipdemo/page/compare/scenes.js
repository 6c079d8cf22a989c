// The strip of example scenes.

import { button, make } from "../shared/dom.js";
import { put } from "./desk.js";

export function mount({ element, props, trigger }) {
  const buttons = props.scenes.map(({ name, caption, thumbnail }) => button(
    make("img", { src: thumbnail, alt: `Scene ${name}: ${caption}` }),
    () => put(() => trigger("pick", { name })), { title: caption }));
  element.replaceChildren(
    make("p", {}, "Or start from a drawn scene.",
      make("span", { class: "captioned" }, " Its caption names only some of what is there:")),
    make("div", { class: "strip" }, ...buttons));
}
