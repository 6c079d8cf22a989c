// DOM helpers. User text is inserted as text nodes only, never as markup.

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function button(text, onClick, attributes = {}) {
  const node = make("button", { type: "button", ...attributes }, text);
  node.addEventListener("click", onClick);
  return node;
}

// A select; options are [value, name].
export function choice(attributes, options, onChange) {
  const select = make("select", attributes);
  fill(select, options);
  if (onChange) select.addEventListener("change", () => onChange(select.value));
  return select;
}

export function fill(select, options) {
  select.replaceChildren(...options.map(([value, name = value]) => make("option", { value }, name)));
}

// Fills a select and keeps its value if that is still an option.
export function refill(select, options) {
  const { value } = select;
  fill(select, options);
  if (options.some(([other]) => other === value)) select.value = value;
}

const SIDEWAYS = 8;  // pixels

// A slider from 0 to 1. Arrow keys move it by 0.01, the pointer by 0.0001.
export function scoreSlider(attributes, onInput) {
  const slider = make("input", { type: "range", min: 0, max: 1, step: 0.0001, ...attributes });
  let touched = null;  // {value, x} before a finger touched it, until that moves sideways or lifts
  const answer = () => onInput(Number(slider.value));
  const steps = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01 };
  slider.addEventListener("input", () => touched ?? answer());
  slider.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    slider.value = Number(slider.value) + steps[event.key];
    answer();
  });
  // A finger that moves up or down scrolls the page and changes nothing.
  slider.addEventListener("pointerdown", ({ pointerType, clientX }) => {
    touched = pointerType === "touch" ? { value: slider.value, x: clientX } : null;
  });
  slider.addEventListener("pointermove", ({ clientX }) => {
    if (!touched || Math.abs(clientX - touched.x) < SIDEWAYS) return;
    touched = null;
    answer();
  });
  slider.addEventListener("pointerup", () => {
    if (touched) answer();
    touched = null;
  });
  slider.addEventListener("pointercancel", () => {
    if (touched) slider.value = touched.value;
    touched = null;
  });
  return slider;
}

// Makes the controls in a node that match `selector`, including later ones, a single Tab stop with
// arrow keys between them (the WAI-ARIA pattern "roving tabindex").
export function roving(node, selector) {
  const all = () => [...node.querySelectorAll(selector)];
  const enter = (chosen) => {
    for (const control of all()) control.tabIndex = control === chosen ? 0 : -1;
  };
  const steps = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };
  node.addEventListener("keydown", (event) => {
    if (!(event.key in steps) || !event.target.matches(selector)) return;
    const shown = all().filter((control) => control.checkVisibility() && !control.disabled);
    const isMirrored = /Left|Right/.test(event.key) && getComputedStyle(node).direction === "rtl";
    const next = shown.indexOf(event.target) + (isMirrored ? -1 : 1) * steps[event.key];
    event.preventDefault();
    shown[Math.min(Math.max(next, 0), shown.length - 1)]?.focus();
  });
  node.addEventListener("focusin", ({ target }) => target.matches(selector) && enter(target));
  const settle = () => {
    const controls = all();
    const now = controls.find((control) => control.tabIndex === 0 && control.checkVisibility());
    enter(controls.includes(document.activeElement) ? document.activeElement
      : now ?? controls.find((control) => control.checkVisibility()) ?? controls[0]);
  };
  new MutationObserver(settle).observe(node, { childList: true, subtree: true });
  settle();
}

// Resolves with the first node that matches, as soon as it is on the page.
export function appears(selector) {
  return new Promise((resolve) => {
    const look = () => {
      const node = document.querySelector(selector);
      if (!node) return;
      watcher.disconnect();
      resolve(node);
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document.body, { childList: true, subtree: true });
    look();
  });
}

// A function that calls `work` once, `delay` milliseconds after its own last call.
export function debounced(work, delay) {
  let timer;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(work, delay);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

export function saveFile(name, content) {
  const link = make("a", { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
