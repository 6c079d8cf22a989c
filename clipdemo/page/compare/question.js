// The question at the top of a panel: a label, shared by all panels, and the panel's own mode.

import { choice, fill, refill } from "../shared/dom.js";
import { page } from "../shared/store.js";
import { modeName } from "../shared/text.js";

export function labelChoice(hint) {
  const select = choice({ "aria-label": hint }, [], (label) => page.set({ chosen: label }));
  const show = () => {
    fill(select, page.state.labels.map((label) => [label]));
    select.value = page.state.label ?? "";
  };
  page.on(["label"], show);
  show();
  return select;
}

export function offerModes(select, modes) {
  refill(select, modes.map((mode) => [mode, modeName(mode)]));
}
