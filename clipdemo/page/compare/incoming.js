// Photos on their way to the field: chosen, pasted or dropped anywhere, or given as a link. Gradio
// would remove the last photo before it refuses one.

import { appears, button, make } from "../shared/dom.js";
import { isTabOpen, openTab, photoAddress, photoName } from "../shared/gradio.js";
import { page } from "../shared/store.js";
import { rescore } from "./caption.js";
import { ifArrived, put } from "./desk.js";
import { CHOSEN, cannotReturn, choose, isChosen, photoCopy, remembered } from "./memory.js";

const KINDS = { heic: "image/heic", heif: "image/heif", avif: "image/avif", tif: "image/tiff",
  tiff: "image/tiff" };
const ADDRESS = /^https?:\/\/\S+$/;

let wanted = {};  // the photo to request: its url elsewhere, or its path on the server

// The input of a link's event, in place of the photo on the page.
export function linked() {
  return [{ ...wanted, meta: { _type: "gradio.FileData" } }];
}

// Systems give an unknown kind of photo no type, and Gradio refuses files without one.
function typed(file) {
  if (file.type) return file;
  const kind = KINDS[file.name.split(".").pop().toLowerCase()] ?? "image/jpeg";
  return new File([file], file.name, { type: kind });
}

function isPhoto({ name, type }) {
  return type.startsWith("image/") || (!type && !/\.(csv|tsv|jsonl?|zip|tar|txt)$/i.test(name));
}

// Why a file cannot be the photo, or null. The server looks into the others.
function problemOf(file, largest) {
  if (!isPhoto(file) || file.type === "image/svg+xml") {
    return "This file is not a photo this app can read: use JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC.";
  }
  if (file.size <= largest) return null;
  return `This photo is larger than ${Math.floor(largest / 2 ** 20)} MB: make it smaller.`;
}

function give(field, file) {
  const given = new DataTransfer();
  given.items.add(file);
  field.files = given.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

// One photo goes to the board; several, and other files, go to the Batch tab.
function receive(files) {
  const photo = files.length === 1 && files.find(isPhoto);
  if (isTabOpen("Batch") || !photo) {
    openTab("Batch");
    page.set({ given: files });
    return true;
  }
  const field = document.querySelector("#photo input[type=file]");
  if (!field) return false;
  openTab("Compare");
  give(field, typed(photo));
  return true;
}

export function mount({ element, props, trigger }) {
  const skip = button("Skip to the result", () => document.querySelector("#board button").focus());
  element.replaceChildren(skip);

  function request(photo) {
    wanted = photo;
    put(() => trigger("link"));
  }

  function follow(text) {
    if (!ADDRESS.test(text) || isTabOpen("Batch")) return false;
    openTab("Compare");
    request({ url: text });
    return true;
  }

  function onServer(photo) {
    return fetch(photo, { method: "HEAD" }).then(({ ok }) => ok, () => false);
  }

  async function giveAgain(file) {
    give(await appears("#photo input[type=file]"), typed(file));
  }

  // A restarted server no longer has the photo: upload it again.
  async function upload(photo) {
    const file = await photoCopy(photo);
    if (file) giveAgain(file);
    else cannotReturn();
  }

  async function bringBack(photo) {
    if (!await onServer(photo)) return upload(photo);
    request({ path: decodeURIComponent(photo.split("/file=")[1] ?? "") });
  }

  const { photo } = remembered() ?? {};
  if (photo) bringBack(photo);
  page.on(["again"], () => request({ path: page.state.again }));
  page.on(["connected"], async () => {
    const here = photoAddress();
    if (isChosen()) upload(CHOSEN);
    else if (here && !await onServer(here)) upload(here);
    else rescore();  // an answer may have been lost
  });

  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    const inField = event.target.closest?.("input:not([type=file]), textarea");
    const text = event.clipboardData.getData("text/plain").trim();
    // Office puts a picture of the copied text next to it.
    const asText = inField && text && event.clipboardData.types.includes("text/html");
    const taken = files.length && !asText ? receive(files) : !inField && follow(text);
    if (!taken) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  document.addEventListener("dragover", (event) => event.preventDefault());
  function drop(event) {
    event.preventDefault();
    const files = [...event.dataTransfer.files];
    if (files.length) receive(files);
    else follow(event.dataTransfer.getData("text/uri-list").split("\n")[0].trim());
  }
  document.addEventListener("drop", drop);
  document.addEventListener("drop", (event) => {
    if (!event.target.closest?.("#photo")) return;
    event.stopPropagation();  // Gradio would take the first file only
    event.target.dispatchEvent(new DragEvent("dragleave", { bubbles: true }));
    drop(event);
  }, true);

  // On the window, so that nothing else on the page hears of a file that is refused.
  window.addEventListener("change", (event) => {
    const [file] = event.target.files ?? [];
    if (!file || !event.target.closest("#photo")) return;
    const refused = problemOf(file, props.largest);
    page.set({ refused });
    if (refused) {
      event.stopImmediatePropagation();
      event.target.value = "";  // the same file can be chosen again
      return;
    }
    choose(file);
    ifArrived(() => photoName() === file.name || giveAgain(file));  // the chosen one came later
    if (file.type) return;
    event.stopImmediatePropagation();
    give(event.target, typed(file));
  }, true);

  // Photos that the browser cannot show come from the server as JPEG; damaged ones stay hidden.
  // The address stays, as Gradio sends it with the photo.
  document.addEventListener("error", ({ target }) => {
    if (!target.closest?.("#photo img")) return;
    const { src, style } = target;
    style.visibility = "hidden";
    const jpeg = make("img", { src: `preview?path=${src.split("/file=")[1] ?? ""}` });
    jpeg.addEventListener("load", () => {
      if (target.src !== src) return;
      style.content = `url("${jpeg.src}")`;
      style.visibility = "";
    });
  }, true);
  document.addEventListener("load", ({ target }) => {
    if (!target.closest?.("#photo img")) return;
    target.style.content = "";
    target.style.visibility = "";
  }, true);
}
