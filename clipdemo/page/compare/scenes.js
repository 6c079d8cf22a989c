// The strip of example scenes.

import { button, make, roving } from "../shared/dom.js";
import { photoAddress, photoName } from "../shared/gradio.js";
import { page } from "../shared/store.js";
import { rescore } from "./caption.js";
import { put } from "./desk.js";
import { beginExample } from "./example.js";
import { readLink } from "./link.js";
import { remembered } from "./memory.js";

let picked = { name: null, address: null };  // the last scene, and the address of its photo

// Name of the scene that is the current photo, or null.
export function sceneNow() {
  return picked.address && picked.address === photoAddress() ? picked.name : null;
}

export function mount({ element, props, trigger }) {
  const known = props.scenes;
  const pick = (name, withCaption = true) => {
    picked = { name, address: null };
    put(() => trigger("pick", { name, withCaption }));
  };
  const buttons = known.map(({ name, caption, thumbnail }) => button(
    make("img", { src: thumbnail, alt: `Scene ${name}: ${caption}` }),
    () => pick(name), { title: caption }));
  element.replaceChildren(
    make("p", {}, "Or start from a drawn scene.",
      make("span", { class: "captioned" }, " Its caption names only some of what is there:")),
    make("div", { class: "strip", role: "group", "aria-label": "Scenes" }, ...buttons));
  roving(element, "button");

  page.on(["scored"], () => {
    if (!picked.address && photoName() === `${picked.name}.webp`) picked.address = photoAddress();
  });

  // Whether the address has a link with a scene, which is picked then.
  function pickLinked() {
    const linked = readLink(location.hash.slice(1), 1)?.scene;
    const isKnown = known.some(({ name }) => name === linked);
    if (isKnown) pick(linked, false);
    return isKnown;
  }
  window.addEventListener("hashchange", pickLinked);

  // What this tab remembers, else the link's scene, else the example.
  const first = known.find(({ name }) => name === props.start);
  if (remembered()) {
    rescore();
  } else if (first && location.hash.length < 2) {
    beginExample(first.caption);
    pick(first.name);
  } else if (!pickLinked()) {
    rescore();
  }
}
