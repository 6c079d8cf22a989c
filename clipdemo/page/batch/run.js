// A run at the server: this page asks for it again and again, and finds it after a reload.

import { keep, kept } from "../shared/kept.js";

const RUN = ["localStorage", "clipdemo.run"];
const PACE = 400;  // milliseconds between two questions
const PATIENCE = 2000;  // the same while the server does not answer

export function isRunning({ state }) {
  return ["waiting", "reading", "running"].includes(state);
}

export function keptRun() {
  return kept(...RUN);
}

export function stopRun(run) {
  return fetch(`batch/${encodeURIComponent(run)}/stop`, { method: "POST" }).catch(() => null);
}

// Returns what follows the run of an id. `receive` is given what the server says of it, with the rows
// behind those that are `known()`; `lost` is called while it does not answer, and `forget` with a
// sentence when it has no such run.
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
