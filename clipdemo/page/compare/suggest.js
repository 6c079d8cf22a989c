// Suggested captions, each to take instead of the caption or to add to it. Text goes in by
// textContent only; the caption changes as if it had been typed, so the board follows.
function setCaption(text) {
  const area = document.querySelector("#caption textarea");
  area.value = text;
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

function button(text, hint, act) {
  const node = document.createElement("button");
  node.type = "button";
  node.textContent = text;
  node.title = hint;
  node.addEventListener("click", act);
  return node;
}

function line(caption) {
  const row = document.createElement("li");
  const text = document.createElement("span");
  text.textContent = caption;
  row.append(
    text,
    button("use", "Put it in place of the caption", () => setCaption(caption)),
    button("add", "Put it behind the caption, as the study does", () => {
      const now = document.querySelector("#caption textarea").value.trim();
      setCaption(now ? `${now}${/[.!?]$/.test(now) ? "" : "."} ${caption}` : caption);
    }),
  );
  return row;
}

function show() {
  const { captions = [], notice = "" } = props.value ?? {};
  const list = document.createElement("ul");
  list.append(...captions.map(line));
  const sentence = document.createElement("p");
  sentence.setAttribute("role", "status");
  sentence.textContent = notice;
  element.replaceChildren(sentence, list);
}
watch("value", show);
show();
