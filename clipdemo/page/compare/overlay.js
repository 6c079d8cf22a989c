// Overlays on the photo of the Compare tab, aligned with its pixels.

import { make } from "../shared/dom.js";

const FIELD = "#photo [data-testid=image]";

// Gradio fits the photo into its field, so there may be a margin on two sides.
export function overlay(...children) {
  const layer = make("div", { class: "overlay" }, ...children);
  let size = [1, 1];

  function place() {
    const photo = document.querySelector(`${FIELD} img`);
    if (!photo) return layer.remove();
    const [field, box] = [layer.parentElement, photo].map((node) => node.getBoundingClientRect());
    const scale = Math.min(box.width / size[0], box.height / size[1]);
    const [width, height] = size.map((side) => side * scale);
    Object.assign(layer.style, {
      left: `${box.left - field.left + (box.width - width) / 2}px`,
      top: `${box.top - field.top + (box.height - height) / 2}px`,
      width: `${width}px`, height: `${height}px`,
    });
  }

  const resized = new ResizeObserver(place);
  return {
    // `photoSize` in pixels, or any size with these proportions.
    put(photoSize) {
      const field = document.querySelector(FIELD);
      if (!field) return;
      size = photoSize;
      field.append(layer);
      resized.observe(field);
      resized.observe(field.querySelector("img"));
      place();
    },
    remove() {
      resized.disconnect();
      layer.remove();
    },
  };
}
