// Says so while the server cannot be reached.

import { page } from "./store.js";

const PACE = 5_000;  // milliseconds between two looks
const IMPATIENT = 1_000;  // while it is away

export function watchConnection(banner) {
  let lost = false;
  let timer;

  function show(isLost) {
    if (isLost === lost) return;
    lost = isLost;
    banner.textContent = lost
      ? "The server cannot be reached. What is on this page stays here; trying again …" : "";
    if (!lost) page.set({ connected: page.state.connected + 1 });
  }

  async function look() {
    clearTimeout(timer);
    if (!document.hidden) {
      const answer = await fetch("healthz", { cache: "no-store" }).catch(() => null);
      show(!answer || answer.status >= 502);
    }
    timer = setTimeout(look, lost ? IMPATIENT : PACE);
  }

  for (const event of ["online", "offline"]) window.addEventListener(event, look);
  document.addEventListener("visibilitychange", look);
  timer = setTimeout(look, PACE);
}
