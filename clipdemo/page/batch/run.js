// A run on the server, which this page polls and finds again after a reload.

import { keep, kept } from "../shared/kept.js";

const RUN = ["localStorage", "clipdemo.run"];
const PACE = 400;  // milliseconds between two requests
const PATIENCE = 2000;  // the same, while the server does not answer

export function isRunning({ state }) {
  return ["waiting", "reading", "running"].includes(state);
}

export function keptRun() {
  return kept(...RUN);
}

export function stopRun(run) {
  return fetch(`batch/${encodeURIComponent(run)}/stop`, { method: "POST" }).catch(() => null);
}

// Returns a function that follows the run with an id. `receive` is called with each answer, which
// has the rows after those of `known()`; `lost` is called if the server does not answer, and
// `forget` with a sentence if it has no such run.
export function follower({ receive, lost, forget, known }) {
  let current = "";
  let timer = 0;

  async function ask(run) {
    const { run: last, rows } = known();
    const from = last === run ? rows.length : 0;
    let pause = PATIENCE;
    try {
      const answer = await fetch(`batch/${encodeURIComponent(run)}?from=${from}`, { cache: "no-store" });
      if (run !== current) return;
      if (answer.status === 404) {
        keep(...RUN, null);
        if (last === run) forget((await answer.json()).error);
        return;
      }
      if (!answer.ok) throw new Error(answer.statusText);
      const found = await answer.json();
      receive(found);
      if (!isRunning(found)) return;
      pause = PACE;
    } catch {
      if (run !== current) return;
      lost();
    }
    timer = setTimeout(ask, pause, run);
  }

  return (run) => {
    clearTimeout(timer);
    if (!run) return;
    current = run;
    keep(...RUN, run);
    ask(run);
  };
}
