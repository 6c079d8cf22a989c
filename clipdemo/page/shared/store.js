// State shared by several parts of the page. A listener runs after each change of one of its keys
// and is called with the changes; for earlier ones, read `state`.

import { START } from "./rules.js";

export function createStore(state) {
  const listeners = [];
  return {
    state,
    set(changes) {
      Object.assign(state, changes);
      for (const { keys, listener } of listeners) {
        if (keys.some((key) => key in changes)) listener(changes);
      }
    },
    on(keys, listener) {
      listeners.push({ keys, listener });
    },
  };
}

// What the tabs share:
//   decision: how scores become decisions, see rules.js;
//   labels, modes: the board's labels, and its modes that have scores; backbone: the board's;
//   label: the one that words and map are about; chosen: the one that the user chose last;
//   scored: counts arrivals of scores; rescore: counts requests that the board ask for them again;
//   connected: counts reconnections to the server;
//   refused: why the last file that was chosen cannot be the photo, or null;
//   again: path on the server of a photo to show again;
//   given: files that were pasted or dropped elsewhere, until the Batch tab takes them;
//   caption: {text, words, off: places of the words that are switched off};
//   walk: what another tab opened on the board {from, text, name, first, last, extra, go}, where
//     name is the photo's, extra a node to show, and go is called with "back", 1 or -1.
export const page = createStore({
  decision: START, labels: [], modes: [], backbone: "", label: "", chosen: "", scored: 0, rescore: 0, connected: 0,
  refused: null, again: null, given: [], caption: { text: "", words: [], off: new Set() }, walk: null,
});
