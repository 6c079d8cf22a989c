// The words of the caption: how much each contributes to the chosen label, and a click switches it
// off. Below them, how well photo and caption fit.

import { button, choice, make, roving, debounced } from "../shared/dom.js";
import { textOf } from "../shared/gradio.js";
import { page } from "../shared/store.js";
import { LEAST, signed } from "../shared/text.js";
import { rescore, spoken } from "./caption.js";
import { fitGauge, fitSentence } from "./fit.js";
import { labelChoice, offerModes } from "./question.js";

function hintFor(words) {
  const unread = words.filter(({ read }) => !read).length;
  if (!words.length) return "";
  if (unread) return `The model does not read ${unread === 1 ? "the last word" : `the last ${unread} words`}.`;
  if (words.length === 1) return "A single word cannot be compared with anything: add more words.";
  return "Click a word to switch it off, and again to switch it on.";
}

export function mount({ element, props, watch, trigger }) {
  const label = labelChoice("Label that the words are about");
  const mode = choice({ "aria-label": "Mode that reads the words" }, [], paint);
  const question = make("p", {}, "What each word adds to ", label, " in ", mode);
  const list = make("div", { class: "words", dir: "auto", role: "toolbar", "aria-label": "Words of the caption" });
  roving(list, "button");
  const hint = make("p", { class: "hint" });
  const warning = make("p", { class: "warning", role: "status" });
  const fit = make("div");

  function toggle(i) {
    const { caption } = page.state;
    if (textOf("caption") !== caption.text) return;  // the words are from an older caption
    const off = new Set(caption.off);
    if (!off.delete(i)) off.add(i);
    page.set({ caption: { ...caption, off } });
    rescore();
  }

  function wordButton({ word, read, effects }, i, most) {
    const effect = effects[mode.value]?.[label.value];
    const node = button(word, () => toggle(i), { "aria-pressed": !page.state.caption.off.has(i) });
    if (effect !== undefined) {
      node.style.setProperty("--strength", `${Math.round(45 * Math.abs(effect) / most)}%`);
      node.classList.add(effect < 0 ? "against" : "for");
      node.dataset.effect = effect.toFixed(4);
      if (Math.abs(effect) >= LEAST) node.append(" ", make("small", { dir: "ltr" }, signed(effect)));
    }
    node.disabled = !read;
    return node;
  }

  function paint() {
    const { words } = page.state.caption;
    const strengths = words.map(({ effects }) => Math.abs(effects[mode.value]?.[label.value] ?? 0));
    const most = Math.max(0.25, ...strengths);
    const focused = [...list.children].indexOf(document.activeElement);
    list.replaceChildren(...words.map((word, i) => wordButton(word, i, most)));
    list.children[focused]?.focus();
    question.hidden = !mode.options.length;
    hint.textContent = hintFor(words);
  }

  function receive() {
    const { caption: text, words = [], fit: found, hint: told } = props.value ?? {};
    const { caption } = page.state;
    offerModes(mode, [...new Set(words.flatMap(({ effects }) => Object.keys(effects)))]);
    page.set({ caption: { text, words, off: text === caption.text ? caption.off : new Set() } });
    warning.textContent = told ?? "";
    fit.replaceChildren(fitGauge(found), make("p", { class: "hint fits" }, fitSentence(found)));
  }

  // The board has priority: the words wait during typing, and while they are out of sight.
  let [seen, old] = [false, false];
  const ask = debounced(() => {
    if (!seen) return;
    old = false;
    trigger("ask", { spoken: spoken(textOf("caption")) });
  }, 200);
  new IntersectionObserver((entries) => {
    seen = entries.at(-1).isIntersecting;
    if (seen && old) ask();
  }).observe(element);
  document.addEventListener("input", (event) => {
    if (event.target.closest?.("#caption")) ask.cancel();
  });
  function scored() {
    old = true;
    ask();
  }

  element.replaceChildren(warning, question, list, hint, fit);
  page.on(["label", "caption"], paint);
  page.on(["scored"], scored);
  watch("value", receive);
  receive();
  if (page.state.scored) scored();
}
