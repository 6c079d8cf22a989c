// On the Compare tab: the way back to Inspect or Batch, and to the neighbours of what was opened.
const told = make("span");
let from = "";
const step = (text, name, to) => {
  const button = make("button", { type: "button", "aria-label": name }, text);
  button.addEventListener("click", () => {
    document.dispatchEvent(new CustomEvent("clipdemo-walk-to", { detail: { from, to } }));
  });
  return button;
};
const back = step("", "", "back");
const [previous, next] = [step("‹", "Previous row", -1), step("›", "Next row", 1)];
const place = make("div", { class: "inspect" });  // of the row's finding, while it is here
const bar = make("div", { class: "walk" }, back, previous, next, told, place);
bar.hidden = true;
element.replaceChildren(bar);

// When another photo takes the place of the one that was opened, there is no way back from it.
let [expected, arrived] = ["", false];
const watching = new MutationObserver(() => {
  const source = document.querySelector("#photo img")?.src;
  const name = source && decoded(source.split(/[?#]/)[0].split("/").pop());
  if (name === expected) arrived = true;
  else if (arrived) bar.hidden = true;
});
document.addEventListener("clipdemo-walk", ({ detail }) => {
  bar.hidden = false;
  from = detail.from;
  back.textContent = `← ${from}`;
  back.setAttribute("aria-label", `Back to ${from}`);
  told.textContent = detail.text;
  place.replaceChildren(detail.marks);
  expected = detail.name;
  arrived = false;
  watching.observe(document.querySelector("#photo"), { subtree: true, childList: true, attributeFilter: ["src"] });
  previous.disabled = detail.first;
  next.disabled = detail.last;
});
back.addEventListener("click", () => { bar.hidden = true; });
