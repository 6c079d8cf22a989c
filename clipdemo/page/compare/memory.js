// What is on the desk outlives a reload of this tab: caption, own labels, rule, thresholds, and the
// photo for as long as the server keeps it.

import { keep, kept } from "../shared/kept.js";

const DESK = ["sessionStorage", "clipdemo.desk"];

// `link` is as link.js writes it; `photo` is the photo's address, or null.
export function remember(link, photo) {
  keep(...DESK, { link, photo });
}

export function forget() {
  keep(...DESK, null);
}

// {link, photo}, or null. What a link says goes first.
export function remembered() {
  return location.hash.length > 1 ? null : kept(...DESK);
}
