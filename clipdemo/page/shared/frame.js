// The parts outside the tabs: the banner for a lost connection, arrow keys between the tabs, and
// opening the tab of a link.

import { watchConnection } from "./connection.js";
import { appears, make, roving } from "./dom.js";
import { openTab } from "./gradio.js";

export function mount({ element }) {
  const banner = make("p", { class: "lost", role: "alert" });
  element.replaceChildren(banner);
  watchConnection(banner);
  appears("[role=tablist]").then((tabs) => {
    if (new URLSearchParams(location.search).has("inspect")) openTab("Inspect");
    roving(tabs, "[role=tab]");
    tabs.addEventListener("keyup", ({ key, target }) => {
      if (/^(Arrow|Home|End)/.test(key) && target.matches("[role=tab]")) target.click();
    });
  });
}
