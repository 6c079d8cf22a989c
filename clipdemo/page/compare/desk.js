// Several parts put a photo and its caption on the desk, one at a time: of two requests at once,
// either might arrive last.

import { typeInto } from "../shared/gradio.js";
import { rescore } from "./caption.js";

const LOST = 15_000;  // milliseconds after which no answer is expected any more

let since = -Infinity;  // time of the pending request; -Infinity if there is none
let next = null;  // the latest request that came meanwhile
const after = [];  // what to do once it is answered

// `ask` triggers an event of the server that ends by calling `arrived`.
export function put(ask) {
  if (isPending()) {
    next = ask;
    return;
  }
  since = performance.now();
  ask();
}

export function isPending() {
  return performance.now() - since < LOST;
}

// Calls `work` once photo and caption have arrived; at once if no request is pending.
export function whenArrived(work) {
  if (isPending()) after.push(work);
  else work();
}

// A caption that is typed meanwhile stays.
let typed = null;
document.addEventListener("input", ({ target }) => {
  if (!isPending() || !target.closest?.("#caption")) return;
  if (typed === null) whenArrived(retype);
  typed = target.value;
});

function retype() {
  const text = typed;
  typed = null;
  typeInto("caption", text);
}

// Photo and caption have arrived, or the request failed.
export function arrived() {
  since = -Infinity;
  for (const work of after.splice(0)) work();
  rescore();
  const ask = next;
  next = null;
  if (ask) put(ask);
}
