// Several parts put a photo and its caption on the desk, one at a time: of two requests at once,
// either might arrive last.

import { rescore } from "./caption.js";

const LOST = 15_000;  // milliseconds after which no answer is expected any more

let since = -Infinity;  // time of the pending request; -Infinity if there is none
let next = null;  // the latest request that came meanwhile

// `ask` triggers an event of the server that ends by calling `arrived`.
export function put(ask) {
  if (performance.now() - since < LOST) {
    next = ask;
    return;
  }
  since = performance.now();
  ask();
}

// Photo and caption have arrived, or the request failed.
export function arrived() {
  since = -Infinity;
  rescore();
  const ask = next;
  next = null;
  if (ask) put(ask);
}
