// What the board's other scripts make their elements with.

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function choice(attributes, options) {
  const select = make("select", attributes);
  for (const [value, name] of options) select.append(make("option", { value }, name));
  return select;
}

// Arrow keys move by a hundredth, though the pointer moves by a ten-thousandth.
function fineSteps(input) {
  const steps = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01 };
  input.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    input.value = Number(input.value) + steps[event.key];
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

const LEAST = 0.005;  // a smaller difference of scores would read as 0.00

// A difference of scores, as people read it.
function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}

function toTab(name) {
  [...document.querySelectorAll("button[role=tab]")].find((tab) => tab.textContent.trim() === name)?.click();
}

// A file's name in an address; what is no address stays as it is.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
