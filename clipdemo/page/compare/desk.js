// Several parts put a photo and its caption on the desk, one at a time: of two requests at once,
// either might arrive last.

import { typeInto } from "../shared/gradio.js";
import { rescore } from "./caption.js";

const LOST = 15_000;  // milliseconds after which no answer is expected any more

let since = -Infinity;  // time of the pending request; -Infinity if there is none
let next = null;  // the latest request that came meanwhile
const after = [];  // what to do once it is answered
let typed = "";

// `ask` triggers an event of the server that ends by calling `arrived`.
export function put(ask) {
  if (isPending()) {
    next = ask;
    return;
  }
  after.length = 0;  // if an answer was lost
  since = performance.now();
  ask();
}

function isPending() {
  return performance.now() - since < LOST;
}

// Calls `work` once photo and caption have arrived; at once if no request is pending.
export function whenArrived(work) {
  if (isPending()) after.push(work);
  else work();
}

// Calls `work` if an answer arrives, however late.
export function ifArrived(work) {
  if (since > -Infinity) after.push(work);
}

// A caption that is typed meanwhile stays.
document.addEventListener("input", ({ target }) => {
  if (!target.closest?.("#caption")) return;
  typed = target.value;
  if (!after.includes(retype)) ifArrived(retype);
});

function retype() {
  typeInto("caption", typed);
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
