// What belongs to no tab: the banner of a lost connection, and arrow keys between the tabs.

import { watchConnection } from "./connection.js";
import { appears, make, roving } from "./dom.js";

export function mount({ element }) {
  const banner = make("p", { class: "lost", role: "alert" });
  element.replaceChildren(banner);
  watchConnection(banner);
  appears("[role=tablist]").then((tabs) => {
    roving(tabs, "[role=tab]");
    tabs.addEventListener("keyup", ({ key, target }) => {
      if (/^(Arrow|Home|End)/.test(key) && target.matches("[role=tab]")) target.click();
    });
  });
}
