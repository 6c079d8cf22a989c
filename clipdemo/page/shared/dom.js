// Elements. User text goes in as text nodes only, never as markup.

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

// Fills a select and keeps what was chosen if it still can be.
export function refill(select, options) {
  const { value } = select;
  fill(select, options);
  if (options.some(([other]) => other === value)) select.value = value;
}

// From 0 to 1. Arrow keys move by a hundredth, though the pointer moves by a ten-thousandth.
export function scoreSlider(attributes, onInput) {
  const slider = make("input", { type: "range", min: 0, max: 1, step: 0.0001, ...attributes });
  const steps = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01 };
  slider.addEventListener("input", () => onInput(Number(slider.value)));
  slider.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    slider.value = Number(slider.value) + steps[event.key];
    onInput(Number(slider.value));
  });
  return slider;
}

// A function that calls `work` once, when it was not called for so many milliseconds.
export function settled(work, delay) {
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
