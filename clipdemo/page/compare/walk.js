// Navigation back to the tab that opened a photo here, and to that photo's neighbours.

import { button, make } from "../shared/dom.js";
import { photoName } from "../shared/gradio.js";
import { page } from "../shared/store.js";

export function mount({ element }) {
  const back = button("", () => {
    bar.hidden = true;
    page.state.walk.go("back");
  });
  const previous = button("‹", () => page.state.walk.go(-1), { "aria-label": "Previous row" });
  const next = button("›", () => page.state.walk.go(1), { "aria-label": "Next row" });
  const text = make("span");
  const extra = make("div");
  const bar = make("div", { class: "walk" }, back, previous, next, text, extra);
  let arrived = false;

  function show() {
    const { walk } = page.state;
    bar.hidden = !walk;
    if (!walk) return;
    arrived = false;
    back.textContent = `← ${walk.from}`;
    back.setAttribute("aria-label", `Back to ${walk.from}`);
    text.textContent = walk.text;
    extra.replaceChildren(walk.extra);
    previous.disabled = walk.first;
    next.disabled = walk.last;
  }

  // The navigation ends when another photo replaces the opened one.
  function follow() {
    if (photoName() === page.state.walk?.name) arrived = true;
    else if (arrived) page.set({ walk: null });
  }

  bar.hidden = true;
  element.replaceChildren(bar);
  page.on(["walk"], show);
  page.on(["scored"], follow);
  show();
}
