// Says so while the server cannot be reached. It asks only after Gradio could not, or when its
// heartbeat, a request that stays open, has ended.

import { page } from "./store.js";

const PACE = 1_000;  // milliseconds between two looks
const LOOKS = 15;  // that follow on each other: a server that ends still answers for a moment

function tellsOfLoss({ name, responseStatus }) {
  return name.includes("/heartbeat/") || (responseStatus === 0 && name.includes("/queue/join"));
}

export function watchConnection(banner) {
  let lost = false;
  let timer;
  let left = 0;  // looks

  function show(isLost) {
    if (isLost === lost) return;
    lost = isLost;
    banner.textContent = lost
      ? "The server cannot be reached. What is on this page stays here; trying again …" : "";
    if (!lost) page.set({ connected: page.state.connected + 1 });
  }

  async function look() {
    clearTimeout(timer);
    const answer = await fetch("healthz", { cache: "no-store" }).catch(() => null);
    show(!answer || answer.status >= 502);
    left -= 1;
    if (lost || left > 0) timer = setTimeout(look, PACE);
  }

  function begin() {
    left = LOOKS;
    look();
  }

  const requests = new PerformanceObserver((list) => list.getEntries().some(tellsOfLoss) && begin());
  requests.observe({ type: "resource" });
  for (const event of ["online", "offline"]) window.addEventListener(event, begin);
}
