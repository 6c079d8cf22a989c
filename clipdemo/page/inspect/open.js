// Lets the owner open another table, or retry one that could not be scored.

import { button, make } from "../shared/dom.js";
import { newBag, send } from "../shared/upload.js";
import { getJson } from "./server.js";

function percent(part, whole) {
  return `${Math.floor(100 * part / (whole || 1))} %`;
}

// A path to type, or a file to choose.
function source(name, hint, accept) {
  const path = make("input", { type: "text", maxlength: 4000, placeholder: hint, "aria-label": `${name}: path` });
  const file = make("input", { type: "file", accept, "aria-label": `${name}: file` });
  const node = make("div", { class: "source" }, make("span", {}, name), path, "or", file);
  const get = async (told) => {
    const [chosen] = file.files;
    if (!chosen) return path.value.trim();
    return send(chosen, newBag(), { told: (at) => told(`Uploading ${chosen.name}: ${percent(at, chosen.size)} …`) });
  };
  return { node, get };
}

export function opener() {
  const table = source("Table", "/data/labels.csv", ".csv,.tsv,.json,.jsonl,.xlsx,.parquet,.txt,.zip");
  const photos = source("Photos", "/data/photos, a folder or a zip", ".zip,.tar");
  const said = make("p", { role: "alert" });
  const start = button("Open", () => ask(async () => {
    const told = (sentence) => { said.textContent = sentence; };
    const [one, other] = [await table.get(told), await photos.get(told)];
    if (!one) throw new Error("No table yet: type its path or choose a file.");
    return { table: one, photos: other };
  }));
  const again = button("Try again", () => ask(async () => ({})));
  const back = button("", () => ask(async () => ({ back: true })));
  const form = make("details", { class: "panel" }, make("summary", {}, "Open another table"),
    make("p", { class: "hint" }, "Paths are on the machine that runs the app."),
    table.node, photos.node, start);
  const node = make("div", { class: "opener" }, again, back, form, said);

  async function ask(what) {
    start.disabled = again.disabled = back.disabled = true;
    said.textContent = "Opening …";
    const answer = await what().then((asked) => getJson("open", asked))
      .catch((error) => ({ notice: error.message }));
    start.disabled = again.disabled = back.disabled = false;
    said.textContent = answer.notice ?? "";
    if (!answer.notice) location.assign(`${location.pathname}?inspect=`);  // the page restores the rest
  }

  // `state` is the answer of /inspect/state.
  function show({ owner, notice, before }) {
    node.hidden = !owner;
    again.hidden = !notice;
    back.hidden = !before;
    back.textContent = `Back to ${before}`;
  }

  node.hidden = true;
  return { node, show };
}
