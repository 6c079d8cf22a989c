// The board's exports: its labels as text, all of it as JSON, and a link that restores caption,
// rule and thresholds.

import { button, debounced, make, saveFile } from "../shared/dom.js";
import { photoAddress, photoName, textOf, typeInto } from "../shared/gradio.js";
import { resultOf, toJson, usedRule } from "../shared/results.js";
import { RULES, START } from "../shared/rules.js";
import { page } from "../shared/store.js";
import { MODE_NAMES } from "../shared/text.js";
import { spoken } from "./caption.js";
import { isExample } from "./example.js";
import { readLink, writeLink } from "./link.js";
import { forget, isReturning, remember, remembered } from "./memory.js";
import { sceneNow } from "./scenes.js";
import { reads } from "./verdict.js";

// Nodes for the board's foot; the given functions return the board's data.
export function sharing(getBoard, decision, decisions) {
  const done = make("span", { role: "status" });
  const byHand = make("textarea", { readonly: "", rows: 3, "aria-label": "Copy it from here" });
  byHand.hidden = true;
  const fade = debounced(() => done.replaceChildren(), 10_000);

  function captionNow() {
    return reads(getBoard().modes, "text") ? spoken(textOf("caption").trim()) : "";
  }

  function result() {
    const { labels, scores } = getBoard();
    const caption = captionNow();
    const about = { name: photoName(), caption, by: caption && "given", scores };
    return resultOf(about, labels, decisions());
  }

  function asText() {
    const { labels, scores } = result();
    const lines = Object.entries(labels).map(([mode, names]) => {
      const listed = names.map((name) => `${name} ${scores[mode][name].toFixed(2)}`);
      return `${MODE_NAMES[mode]}: ${listed.join(", ") || "no label"}`;
    });
    const [rule, ...numbers] = Object.values(usedRule(decision()));
    const how = [Object.fromEntries(RULES)[rule], ...numbers].join(" ");
    const dragged = getBoard().labels.some((label) => decision().own.has(label));
    return `${lines.join("\n")}\nRule: ${how}${dragged ? ", some dragged" : ""}.`
      + ` Backbone: ${getBoard().backbone}.`;
  }

  function asLink() {
    const about = { backbone: getBoard().backbone, scene: sceneNow() };
    const kept = writeLink(decision(), captionNow(), textOf("own-labels"), about);
    return `${location.origin}${location.pathname}#${kept}`;
  }

  // Browsers allow copying only in secure contexts (https or localhost); else the text is shown.
  async function copy(text, sentence) {
    try {
      await navigator.clipboard.writeText(text);
      byHand.hidden = true;
      done.textContent = sentence;
      fade();
    } catch {
      fade.cancel();
      byHand.hidden = false;
      byHand.value = text;
      byHand.select();
      done.textContent = "This browser does not allow copying here: copy the text below.";
    }
  }

  function save() {
    const { backbone, head } = getBoard();
    const told = { backbone, head, ...usedRule(decision()), ...result() };
    saveFile("clipdemo-board.json", new Blob([toJson(told)], { type: "application/json" }));
  }

  function keep() {
    if (isExample() && page.state.decision === START && !textOf("own-labels")) return;
    const [caption, ownLabels, photo] = [textOf("caption"), textOf("own-labels"), photoAddress()];
    if (!caption && !ownLabels && !photo && !isReturning()) forget();
    else remember(`${writeLink(decision(), caption, ownLabels)}`, photo);
  }

  // `isTyped`: a person has typed while the page was loading; that text stays.
  function restore(isTyped) {
    const link = remembered()?.link ?? location.hash.slice(1);
    const found = readLink(link, getBoard().labels.length);
    if (!found) return;
    page.set({ decision: found.decision });
    const { backbone } = getBoard();
    if (found.backbone && found.backbone !== backbone) {
      done.textContent = `The link was made with ${found.backbone}; this page uses ${backbone}.`;
    }
    if (isTyped) return;
    typeInto("caption", found.caption);
    typeInto("own-labels", found.ownLabels);
  }

  window.addEventListener("hashchange", () => restore(false));
  restore(Boolean(textOf("caption") || textOf("own-labels")));
  page.on(["decision", "scored"], keep);
  // At once: the page may be loaded again before there are scores.
  document.addEventListener("input", ({ target }) => {
    if (target.closest("#caption, #own-labels")) keep();
  });
  return [
    make("div", { class: "share" },
      button("Copy labels", () => copy(asText(), "Labels copied.")),
      button("Download JSON", save),
      button("Copy link", () => copy(asLink(),
        `Link copied. It holds caption, labels, rule and thresholds${photoAddress() && !sceneNow()
          ? ", not the photo" : ""}.`),
      { title: "Restores caption, labels, rule, thresholds and scene, but not your own photo" }),
      done),
    byHand,
  ];
}
