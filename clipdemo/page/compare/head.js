// The title, the model in use and its quality.

import { make } from "../shared/dom.js";

export function mount({ element, props, watch }) {
  function show() {
    const { backbone, title, line, about } = props.value;
    const model = make("p", {}, make("span", { class: "badge" }, backbone), line);
    if (about.length) {
      model.append(make("details", {}, make("summary", {}, "more about this model"),
        ...about.map((text) => make("p", {}, text))));
    }
    element.replaceChildren(
      make("h1", {}, make("b", {}, "clipdemo"), " ", make("span", {}, title)), model);
  }
  watch("value", show);
  show();
}
