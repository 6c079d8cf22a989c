// Title, and which model answers and how good it is; runs as gr.HTML's js_on_load.
function paragraph(text) {
  const node = document.createElement("p");
  node.textContent = text;
  return node;
}
function show() {
  const { backbone, title: asked, line, about } = props.value;
  const title = document.createElement("h1");
  title.textContent = asked;
  const badge = document.createElement("span");
  badge.className = "badge";
  badge.textContent = backbone;
  const model = paragraph(line);
  model.prepend(badge);
  if (about.length) {
    const more = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "more about this model";
    more.append(summary, ...about.map(paragraph));
    model.append(more);
  }
  element.replaceChildren(title, model);
}
watch("value", show);
show();
