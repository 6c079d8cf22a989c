// On the Compare tab: the way back to Inspect, and to the neighbours of the row that was opened.
const told = make("span");
const step = (text, name, to) => {
  const button = make("button", { type: "button", "aria-label": name }, text);
  button.addEventListener("click", () => document.dispatchEvent(new CustomEvent("clipdemo-walk-to", { detail: to })));
  return button;
};
const back = step("← Inspect", "Back to Inspect", "back");
const [previous, next] = [step("‹", "Previous row", -1), step("›", "Next row", 1)];
const place = make("div", { class: "inspect" });  // of the row's finding, while it is here
const bar = make("div", { class: "walk" }, back, previous, next, told, place);
bar.hidden = true;
element.replaceChildren(bar);
document.addEventListener("clipdemo-walk", ({ detail }) => {
  bar.hidden = false;
  told.textContent = detail.text;
  place.replaceChildren(detail.marks);
  previous.disabled = detail.first;
  next.disabled = detail.last;
});
back.addEventListener("click", () => { bar.hidden = true; });
