// Shows a banner while the server cannot be reached. It polls the server only after a request of
// Gradio failed, or when Gradio's heartbeat, a request that stays open, has ended.

import { page } from "./store.js";

const PACE = 1_000;  // milliseconds between two checks
const CHECKS = 15;  // in a row: a server that is shutting down still answers for a moment

function tellsOfLoss({ name, responseStatus }) {
  return name.includes("/heartbeat/") || (responseStatus === 0 && name.includes("/queue/join"));
}

export function watchConnection(banner) {
  let lost = false;
  let timer;
  let left = 0;  // checks

  function show(isLost) {
    if (isLost === lost) return;
    lost = isLost;
    banner.textContent = lost
      ? "The server cannot be reached. This page keeps its content; trying again …" : "";
    if (!lost) page.set({ connected: page.state.connected + 1 });
  }

  async function check() {
    clearTimeout(timer);
    const answer = await fetch("healthz", { cache: "no-store" }).catch(() => null);
    show(!answer || answer.status >= 502);
    left -= 1;
    if (lost || left > 0) timer = setTimeout(check, PACE);
  }

  function begin() {
    left = CHECKS;
    check();
  }

  const requests = new PerformanceObserver((list) => list.getEntries().some(tellsOfLoss) && begin());
  requests.observe({ type: "resource" });
  for (const event of ["online", "offline"]) window.addEventListener(event, begin);
}
