// Review by keys: next, previous, right, wrong, undo. They work while the photos have the focus,
// but not while the user types. Screen readers pass them on as the list has role=application then.

import { button, make } from "../shared/dom.js";
import { labelName, tab } from "./state.js";

const KEYS = [
  ["N", "next"], ["P", "previous"], ["R", "table is right"], ["W", "table is wrong"],
  ["U", "undo"], ["O", "open"], ["Esc", "end"],
];
const ARROWS = { ArrowRight: "n", ArrowLeft: "p", Enter: "o", Escape: "esc" };

// `list` contains the cards, `getCards` returns them, `fetchMore` adds more.
export function reviewer(list, getCards, fetchMore) {
  const toggle = button("Review by keys", () => (reviewing ? end() : begin()), { "aria-pressed": false });
  const help = make("span", { class: "keys" },
    ...KEYS.flatMap(([key, what]) => [make("kbd", {}, key), ` ${what} `]));
  const said = make("span", { class: "said", role: "status" });
  const node = make("div", { class: "review" }, toggle, help, said);
  let reviewing = false;
  let at = 0;
  let done = [];  // [card, finding before]

  function begin() {
    reviewing = true;
    at = 0;
    done = [];
    paint();
    go(0);
  }

  function end() {
    reviewing = false;
    paint();
    toggle.focus();
  }

  function paint() {
    node.hidden = !tab.state.about?.owner;
    toggle.disabled = !reviewing && !getCards().length;
    toggle.setAttribute("aria-pressed", reviewing);
    help.hidden = said.hidden = !reviewing;
    if (reviewing) {
      list.setAttribute("role", "application");
      list.setAttribute("aria-label", `Review. ${KEYS.map((pair) => pair.join(": ")).join(", ")}`);
    } else {
      list.removeAttribute("role");
      list.removeAttribute("aria-label");
    }
    getCards().forEach((card, i) => card.node.classList.toggle("now", reviewing && i === at));
  }

  async function go(place, before = "") {
    if (place >= getCards().length && place < tab.state.total) await fetchMore();
    const cards = getCards();
    if (!cards.length) return end();
    const last = place >= cards.length;
    at = Math.min(Math.max(place, 0), cards.length - 1);
    paint();
    const { entry, node: card } = cards[at];
    card.querySelector(".open").focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
    const finding = entry.finding ? `, marked: ${entry.finding.finding}` : "";
    said.textContent = `${before}${last ? "This was the last one. " : ""}`
      + `${at + 1} of ${tab.state.total}: ${entry.id}${finding}`;
  }

  async function mark(kind) {
    const card = getCards()[at];
    const before = card.entry.finding;
    if (!await card.choose(kind)) {
      said.textContent = `${card.entry.id}: not saved.`;
      return;
    }
    done.push([card, before]);
    const what = [labelName(), kind === "label right" ? "right" : "wrong"].filter(Boolean).join(" ");
    await go(at + 1, `${card.entry.id}: ${what}. `);
  }

  async function undo() {
    const [card, before] = done.pop() ?? [];
    if (!card) {
      said.textContent = "Nothing to undo.";
      return;
    }
    await card.keep(before);
    const place = getCards().indexOf(card);
    await go(place < 0 ? at : place, "Undone. ");
  }

  const ACTIONS = {
    n: () => go(at + 1), p: () => go(at - 1), r: () => mark("label right"), w: () => mark("label wrong"),
    u: undo, o: () => getCards()[at].node.querySelector(".open").click(), esc: end,
  };

  let busy = false;  // a key that is held down marks one photo at a time
  list.addEventListener("keydown", async (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    const action = ACTIONS[ARROWS[key] ?? key.toLowerCase()];
    if (!reviewing || !action || ctrlKey || metaKey || altKey || target.matches("input, select, textarea")) return;
    event.preventDefault();
    if (busy || event.repeat) return;
    busy = true;
    await action();
    busy = false;
  });
  list.addEventListener("focusin", ({ target }) => {
    const place = getCards().findIndex((card) => card.node.contains(target));
    if (!reviewing || place < 0 || place === at) return;
    at = place;
    paint();
  });

  return { node, paint };
}
