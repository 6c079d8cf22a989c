// A photo and its caption are put on the desk from several places, and one at a time: of two asked
// for at once either might come last.

import { rescore } from "./caption.js";

const LOST = 15_000;  // milliseconds after which no answer comes any more

let since = -Infinity;  // when the server was asked; it has answered if this is -Infinity
let next = null;  // the last one asked for meanwhile

// `ask` triggers an event of the server that ends with `arrived`.
export function put(ask) {
  if (performance.now() - since < LOST) {
    next = ask;
    return;
  }
  since = performance.now();
  ask();
}

// Photo and caption are there, or could not be had.
export function arrived() {
  since = -Infinity;
  rescore();
  const ask = next;
  next = null;
  if (ask) put(ask);
}
