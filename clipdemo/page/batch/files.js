// The files of a run: chosen or dropped, also as folders, and uploaded immediately.

import { button, make } from "../shared/dom.js";
import { keep, kept } from "../shared/kept.js";
import { page } from "../shared/store.js";
import { arrived, keyOf, newBag, send } from "../shared/upload.js";

const BAG = ["sessionStorage", "clipdemo.bag"];  // {id, count: number of files}
const AT_ONCE = 3;  // simultaneous uploads
const IN_USE = 10 * 60_000;  // milliseconds between requests that keep the files from being deleted
const SENTENCES = 6;  // at most, about files that were refused
const TABLE = /\.(csv|tsv|txt|jsonl?)$/i;
const WORKBOOK = /\.(parquet|xlsx?)$/i;  // refused, as it may unpack to anything
const JUNK = /(^\.|^Thumbs\.db$|^desktop\.ini$)/i;  // files that systems add to folders

let bag = "";
let files = new Map();  // by key: {name, size, at, path, file, problem}
let repaint = () => {};
let leaving = new AbortController();  // aborts the uploads of this bag
let running = 0;
let before = 0;  // number of files before a reload
let settled = [];  // called when no upload is left

function states() {
  return [...files.values()];
}

function isOpen({ path, problem }) {
  return !path && !problem;
}

function begin(id, count) {
  leaving.abort();
  leaving = new AbortController();
  [bag, before, files] = [id, count, new Map()];
}

async function work(mine) {
  for (;;) {
    const next = mine === bag && states().find((state) => isOpen(state) && !state.begun);
    if (!next) return;
    next.begun = true;
    try {
      next.path = await send(next.file, mine, {
        at: next.at, signal: leaving.signal,
        told: (at) => { next.at = at; repaint(); },
      });
    } catch (error) {
      next.problem = error.message;
    }
    repaint();
  }
}

function sendAll() {
  while (running < AT_ONCE) {
    running += 1;
    work(bag).finally(() => {
      running -= 1;
      if (states().some((state) => isOpen(state) && !state.begun)) sendAll();
      else if (!states().some(isOpen)) settled.splice(0).forEach((go) => go());
    });
  }
}

// Adds files; those that are already there are not uploaded again.
function add(list) {
  for (const file of list) {
    if (JUNK.test(file.name)) continue;
    const key = keyOf(file);
    const known = files.get(key);
    if (known?.file && !known.problem) continue;
    const problem = WORKBOOK.test(file.name) ? `${file.name} cannot be read here: save it as CSV and choose that file.` : null;
    files.set(key, { ...known, name: file.name, size: file.size, at: known?.at ?? 0, file, problem });
  }
  keep(...BAG, { id: bag, count: files.size });
  repaint();
  sendAll();
}

// Resolves with the bag's id as soon as all files are on the server, or with "" if only the user can
// choose them again. Those that it has deleted or lost since are uploaded again.
export async function allSent() {
  const found = await arrived(bag);
  const here = new Set(found?.filter(({ complete }) => complete).map(({ key }) => key));
  for (const [key, state] of found ? files : []) {
    if (!state.path || here.has(key)) continue;
    if (state.file) Object.assign(state, { path: null, begun: false, at: 0 });
    else files.delete(key);
  }
  sendAll();
  if (states().some(isOpen)) await new Promise((go) => settled.push(go));
  repaint();
  return before && !files.size ? "" : bag;
}

function clear() {
  begin(newBag(), 0);
  keep(...BAG, null);
  settled.splice(0).forEach((go) => go());
  repaint();
}

function megabytes(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}

function count(n, one, many) {
  return n ? [`${n.toLocaleString("en")} ${n === 1 ? one : many}`] : [];
}

// Such as "3 photos and 1 table, 4.2 MB".
function summary(found) {
  const tables = found.filter(({ name }) => TABLE.test(name)).length;
  const packed = found.filter(({ name }) => /\.(zip|tar)$/i.test(name)).length;
  const kinds = [
    ...count(found.length - tables - packed, "photo", "photos"),
    ...count(packed, "zip", "zips"), ...count(tables, "table", "tables"),
  ];
  const bytes = found.reduce((sum, { size }) => sum + size, 0);
  return `${kinds.join(" and ")}, ${megabytes(bytes)}`;
}

function statusText() {
  const given = states().filter(({ problem }) => !problem);
  const open = given.filter(isOpen);
  const here = given.filter(({ path }) => path);
  if (open.length) {
    const [done, all] = [given.reduce((sum, { at }) => sum + at, 0), given.reduce((sum, { size }) => sum + size, 0)];
    return `Uploading ${summary(given)}: ${here.length.toLocaleString("en")} of `
      + `${given.length.toLocaleString("en")} are there (${Math.floor(100 * done / (all || 1))} %).`;
  }
  const names = here.length < 4 ? ` (${here.map(({ name }) => name).join(", ")})` : "";
  const said = here.length ? `Ready: ${summary(here)}${names}.` : "";
  const [lacking] = count(before - here.length, "file is", "files are");
  const again = here.length < before
    ? `${lacking} not on the server: choose the same files again, and only the rest is uploaded.` : "";
  return `${said} ${again}`.trim();
}

// The dropped files, including those in dropped folders.
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const found = [];
  const walk = async (entry) => {
    if (entry.isFile) {
      found.push(await new Promise((go, fail) => entry.file(go, fail)));
      return;
    }
    const reader = entry.createReader();
    for (;;) {  // browsers return up to 100 entries per call
      const some = await new Promise((go, fail) => reader.readEntries(go, fail));
      if (!some.length) return;
      for (const each of some) await walk(each);
    }
  };
  for (const entry of entries) await walk(entry);
  return found;
}

function chooser(attributes) {
  const input = make("input", { type: "file", multiple: "", hidden: "", ...attributes });
  input.addEventListener("change", () => {
    add([...input.files]);
    input.value = "";  // so that the same files can be chosen again
  });
  return input;
}

export function mount({ element }) {
  const one = chooser({ id: "batch-choose" });
  const folder = chooser({ webkitdirectory: "" });  // not in the page, which has one field for files
  const status = make("p", { role: "status" });
  const problems = make("ul", { class: "notices" });
  const emptied = button("Clear", clear);
  const zone = make("div", { class: "drop" }, make("p", {}, "Drop photos, a folder, a zip or a table here"),
    make("span", {}, button("Choose files", () => one.click()),
      button("Choose a folder", () => folder.click()), emptied), one, status);

  function paint() {
    status.textContent = statusText();
    const sentences = [...new Set(states().map(({ problem }) => problem).filter(Boolean))];
    if (sentences.length > SENTENCES) {
      sentences.splice(SENTENCES - 1, Infinity, `${sentences.length - SENTENCES + 1} more were refused.`);
    }
    problems.replaceChildren(...sentences.map((sentence) => make("li", {}, sentence)));
    emptied.hidden = !files.size && !before;
  }

  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    zone.addEventListener(kind, () => zone.classList.toggle("over", /enter|over/.test(kind)));
  }
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    add(await dropped(event.dataTransfer));
  });

  repaint = paint;
  element.replaceChildren(zone, problems);
  const { id, count: given } = kept(...BAG) ?? { id: newBag(), count: 0 };
  begin(id, given);
  arrived(bag).then((found) => {
    for (const { key, name, bytes } of (found ?? []).filter(({ complete }) => complete)) {
      if (!files.has(key)) files.set(key, { name, size: bytes, at: bytes, path: name });
    }
    paint();
  });
  const take = () => add(page.state.given.splice(0));
  page.on(["given"], take);
  take();
  setInterval(() => files.size && arrived(bag), IN_USE);
  paint();
}
