// Keeps the desk over a reload of this tab and a restart of the server: caption, own labels, rule,
// thresholds and the photo.

import { keep, kept } from "../shared/kept.js";

const DESK = ["sessionStorage", "clipdemo.desk"];
const PHOTO = ["sessionStorage", "clipdemo.photo"];
export const CHOSEN = "chosen";  // in place of the address of a photo that is being uploaded
const LARGEST = 3e6;  // bytes of a photo to store; browsers have room for about 5 MB

let copy = null;  // {address, file} of the photo
let returning = remembered()?.photo ?? null;  // address of a photo that is being brought back

// `link` is as link.js writes it; `photo` is the photo's address, or null.
export function remember(link, photo) {
  if (photo) returning = null;
  keepDesk(link, photo ?? returning);
  if (!returning && photo !== copy?.address) copyPhoto(photo);
}

// The photo of this file is being uploaded, and comes back if the connection is lost.
export function choose(file) {
  returning = CHOSEN;
  keepDesk(remembered()?.link ?? location.hash.slice(1), CHOSEN);
  setCopy(CHOSEN, file);
}

export function isChosen() {
  return returning === CHOSEN;
}

export function isReturning() {
  return returning !== null;
}

export function cannotReturn() {
  returning = null;
}

export function forget() {
  for (const what of [DESK, PHOTO]) keep(...what, null);
  copy = null;
}

// {link, photo}, or null. The link by which the page was opened takes precedence, until there was
// work on it.
export function remembered() {
  const desk = kept(...DESK);
  return location.hash.length > 1 && desk?.hash !== location.hash ? null : desk;
}

function keepDesk(link, photo) {
  keep(...DESK, { link, photo, hash: location.hash });
}

async function copyPhoto(address) {
  copy = null;
  keep(...PHOTO, null);
  if (!address) return;
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) return;
  const blob = await answer.blob();
  setCopy(address, new File([blob], nameOf(address), { type: blob.type }));
}

function setCopy(address, file) {
  copy = { address, file };
  if (file.size > LARGEST) return;
  const reader = new FileReader();
  reader.addEventListener("load", () => {
    if (copy?.address === address) keep(...PHOTO, { address, name: file.name, data: reader.result });
  });
  reader.readAsDataURL(file);
}

// The file of a photo that the server no longer has, or null.
export async function photoCopy(address) {
  if (copy?.address === address) return copy.file;
  const stored = kept(...PHOTO);
  if (stored?.address !== address) return null;
  const blob = await (await fetch(stored.data)).blob();
  return new File([blob], stored.name, { type: blob.type });
}

function nameOf(address) {
  return decodeURIComponent(address.split("/").pop());
}
