// The photos that the filters find, most wrong first.

import { button, make, saveFile } from "../shared/dom.js";
import { buildCard, paintCard } from "./cards.js";
import { reviewer } from "./review.js";
import { fetchMore, rowsAsCsv } from "./rows.js";
import { tab } from "./state.js";

const BOTH = "with photo and caption";
const NEEDED = { image: "with a photo", text: "with a caption", concat: BOTH, mutan: BOTH };

// `open` is called with the index of the row whose photo was clicked.
export function gallery(open) {
  const tally = make("p", { class: "tally", role: "status" });
  const findings = make("a", { class: "download", href: "inspect/findings.csv", download: "findings.csv" });
  const tasks = make("a", { href: "inspect/label-studio.json", download: "label-studio.json" },
    "for Label Studio");
  const corrected = make("a", { class: "corrected", href: "inspect/corrected", download: "" });
  const legend = make("p", { class: "legend" },
    "✓ found   − missed   + false   ? label may be wrong (cleanlab)");
  const list = make("div", { class: "cards" });
  const more = button("Show more", fetchMore, { class: "more" });
  const save = button("Download these rows (CSV)",
    async () => saveFile("rows.csv", await rowsAsCsv()), { class: "save" });
  const node = make("section", { class: "gallery" },
    make("div", { class: "gallery-head" }, tally,
      make("div", { class: "downloads" }, findings, tasks, corrected)), legend, list, make("div", {}, more, save));
  let cards = [];
  const review = reviewer(list, () => cards, fetchMore);
  legend.after(review.node);

  function receive() {
    const { rows, total, about, view, notice } = tab.state;
    const cardOf = (entry, i) => cards.find((card) => card.entry === entry)
      ?? buildCard(entry, () => open(i), showFindings);
    cards = rows.map(cardOf);
    list.replaceChildren(...cards.map((card) => card.node));
    const all = `${about.known[view.mode]} rows ${NEEDED[view.mode]}`;
    const none = about.known[view.mode] ? `None of ${all}: clear a filter.`
      : `This table has no rows ${NEEDED[view.mode]}.`;
    tally.textContent = notice || (total ? `${total} of ${all}, worst errors first` : none);
    tally.dataset.total = total;
    more.hidden = rows.length >= total;
    save.hidden = !total;
    paint();
    review.paint();
  }

  function paint() {
    cards.forEach(paintCard);
  }

  function showFindings({ findings: count, corrections }) {
    corrected.hidden = !corrections;
    corrected.textContent = `Download the table, corrected for ${corrections} photo${corrections === 1 ? "" : "s"}`;
    findings.hidden = tasks.hidden = !count;
    findings.textContent = `Download ${count} finding${count === 1 ? "" : "s"} (CSV)`;
  }

  // On a wide page it is already next to the table.
  function bringIntoView() {
    if (node.getBoundingClientRect().top > innerHeight * 0.6) {
      node.scrollIntoView({ behavior: "smooth", block: "start" });
    }
  }

  // A card's finding, which is moved elsewhere and back.
  const lend = (i) => cards[i].extra;
  const takeBack = () => cards.forEach((card) => card.node.append(card.extra));

  const focus = (i) => cards[i]?.node.querySelector(".open").focus({ preventScroll: true });

  tab.on(["rows", "notice"], receive);
  tab.on(["judged"], paint);
  return { node, paint, showFindings, bringIntoView, lend, takeBack, focus };
}
