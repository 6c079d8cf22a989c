// Which labels are given instead of the chosen one, and which it is given instead of; a click shows
// the photos.

import { button, make } from "../shared/dom.js";
import { ask, labelName, tab } from "./state.js";

// `toPhotos` is called when photos are asked for.
export function insteadPanel(toPhotos) {
  const node = make("section", { class: "panel instead" });

  function list(title, outcome, verb, found) {
    const { labels, view } = tab.state;
    const rows = found.map(([place, count]) => {
      const show = () => {
        ask({ outcome, instead: place });
        toPhotos();
      };
      const pressed = view.outcome === outcome && view.instead === place;
      return make("li", {}, button(`${labels[place]} ${verb} ${count}×`, show, { "aria-pressed": pressed }));
    });
    if (!rows.length) rows.push(make("li", { class: "none" }, `no other label ${verb}`));
    return make("div", {}, make("p", {}, title), make("ul", {}, ...rows));
  }

  function paint() {
    const { instead } = tab.state;
    const label = labelName();
    node.hidden = !instead || !label || !(instead.missed || instead.false);
    if (node.hidden) return;
    node.replaceChildren(
      list(`Where ${label} is missed (${instead.missed})`, "missed", "wrongly predicted",
        instead.predicted),
      list(`Where ${label} is wrongly predicted (${instead.false})`, "false", "missed",
        instead.lacking));
  }

  tab.on(["instead", "view"], paint);
  paint();
  return node;
}
