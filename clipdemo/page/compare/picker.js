// What happens to a backbone somebody chose: a sentence, and a bar while it is downloaded.
const sentence = document.createElement("p");
const bar = document.createElement("progress");
sentence.setAttribute("role", "status");
element.replaceChildren(sentence, bar);
function tell() {
  const { text = "", done = 0, total = 0 } = props.value ?? {};
  sentence.textContent = text;
  bar.hidden = !total;
  bar.max = total || 1;
  bar.value = done;
}
watch("value", tell);
tell();
