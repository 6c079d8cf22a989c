// The words of the caption: how much each carries the chosen label, and off with a click. Below them
// how well photo and caption fit. Runs as gr.HTML's js_on_load behind dom.js. Text only by textContent.

const TITLES = { text: "caption", concat: "both", mutan: "MUTAN" };
const label = choice({ "aria-label": "Label that the words are about" }, []);
const mode = choice({ "aria-label": "Mode that reads the words" }, []);
const asked = make("p", { class: "asked" }, "What the words do for ", label, " by ", mode);
const list = make("div", { class: "words" });
const told = make("p", { class: "told" });
const gauge = make("div", { class: "gauge" });
const fits = make("p", { class: "fits" });
let value = { words: [] };
let off = new Set();

label.addEventListener("change", () => {
  document.dispatchEvent(new CustomEvent("clipdemo-choose", { detail: { label: label.value } }));
});
mode.addEventListener("change", paint);

document.addEventListener("clipdemo-label", ({ detail }) => {
  label.replaceChildren(...detail.labels.map((name) => make("option", { value: name }, name)));
  label.value = detail.label ?? "";
  if (detail.fresh) askSoon();
  paint();
});

// The board goes first: while somebody types on, and while nobody sees them, the words wait.
let waiting;
let [seen, old] = [false, false];
function askSoon() {
  old = true;
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    if (!seen) return;
    old = false;
    trigger("ask");
  }, 200);
}
new IntersectionObserver((entries) => {
  seen = entries.at(-1).isIntersecting;
  if (seen && old) askSoon();
}).observe(element);
document.addEventListener("input", (event) => {
  if (event.target.closest?.("#caption")) clearTimeout(waiting);
});

// The board asks what the caption says now.
document.addEventListener("clipdemo-spoken", ({ detail }) => {
  if (!off.size || detail.caption !== value.caption) return;
  detail.caption = value.words.filter((word, i) => !off.has(i)).map(({ word }) => word).join(" ");
});

function receive() {
  const { caption } = value;
  value = { words: [], ...props.value };
  if (value.caption !== caption) off = new Set();
  const modes = Object.keys(TITLES).filter((m) => value.words.some(({ effects }) => m in effects));
  const now = modes.includes(mode.value) ? mode.value : modes[0];
  mode.replaceChildren(...modes.map((m) => make("option", { value: m }, TITLES[m])));
  if (now) mode.value = now;
  paint();
  paintFit();
}

function paint() {
  const effects = value.words.map(({ effects }) => effects[mode.value]?.[label.value]);
  const most = Math.max(0.25, ...effects.map((effect) => Math.abs(effect ?? 0)));
  const focused = [...list.children].indexOf(document.activeElement);
  list.replaceChildren(...value.words.map(({ word, read }, i) => button(word, read, i, effects[i], most)));
  list.children[focused]?.focus();
  asked.hidden = !value.words.length;
  const unread = value.words.filter(({ read }) => !read).length;
  told.textContent =
    !value.words.length ? "Write a caption: here you can switch its words off and see what each does."
    : unread ? `The model does not read ${unread === 1 ? "the last word" : `the last ${unread} words`}.`
    : value.words.length === 1 ? "A caption of one word: without it there is none to compare with."
    : "Click a word to switch it off, and again to switch it on.";
}

function button(word, read, i, effect, most) {
  const node = make("button", { type: "button", "aria-pressed": !off.has(i) }, word);
  if (effect !== undefined) {
    node.style.setProperty("--strength", `${Math.round(45 * Math.abs(effect) / most)}%`);
    node.classList.add(effect < 0 ? "against" : "for");
    node.dataset.effect = effect.toFixed(4);
    if (Math.abs(effect) >= LEAST) node.append(make("small", {}, signed(effect)));
  }
  node.disabled = !read;
  node.addEventListener("click", () => {
    if (document.querySelector("#caption textarea").value !== value.caption) return;  // it is old
    if (!off.delete(i)) off.add(i);
    paint();
    document.dispatchEvent(new Event("clipdemo-picked"));
  });
  return node;
}

function paintFit() {
  const { similarity, better_than: share, n, matching, mismatched } = value.fit ?? {};
  gauge.replaceChildren();
  gauge.classList.toggle("none", similarity === undefined);
  gauge.hidden = similarity !== undefined && share == null;
  if (similarity === undefined) {
    fits.textContent = "With a photo and a caption, here stands how well the two fit.";
  } else if (share == null) {
    fits.textContent = `Similarity of photo and caption: ${similarity.toFixed(2)}. This model has no`
      + " validation pairs to place it among.";
  } else {
    fits.textContent = `Photo and caption fit better than ${Math.round(100 * share)} % of ${n} `
      + `validation pairs (similarity ${similarity.toFixed(2)}). Orange: the middle half of these; grey: of`
      + " photos with captions of others.";
    const low = Math.min(matching[0], mismatched[0]);
    const high = Math.max(matching[4], mismatched[4]);
    const place = (x) => `${100 * Math.min(Math.max((x - low) / (high - low), 0), 1)}%`;
    const band = (name, [, from, , to], title) => {
      const node = make("i", { class: name, title });
      node.style.left = place(from);
      node.style.right = `calc(100% - ${place(to)})`;
      return node;
    };
    const mark = make("b", {});
    mark.style.left = place(similarity);
    gauge.append(band("mismatched", mismatched, "The middle half of captions of other photos"),
      band("matching", matching, "The middle half of the validation pairs"), mark);
  }
}

element.replaceChildren(asked, list, told, gauge, fits);
watch("value", receive);
receive();
document.dispatchEvent(new CustomEvent("clipdemo-choose", { detail: {} }));
