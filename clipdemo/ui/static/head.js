// Title, and which model answers and how good it is; runs as gr.HTML's js_on_load.
function paragraph(text) {
  const node = document.createElement("p");
  node.textContent = text;
  return node;
}
const title = document.createElement("h1");
title.textContent = "What does the photo say, what the caption, what both?";
const badge = document.createElement("span");
badge.className = "badge";
badge.textContent = props.value.backbone;
const line = paragraph(props.value.line);
line.prepend(badge);
const more = document.createElement("details");
const summary = document.createElement("summary");
summary.textContent = "more about this model";
more.append(summary, ...props.value.about.map(paragraph));
line.append(more);
element.replaceChildren(title, line);
