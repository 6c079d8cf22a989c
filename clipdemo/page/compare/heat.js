// The map of a label: cells are warm where the photo supports the label, cold where it opposes it.

import { make } from "../shared/dom.js";
import { MODE_NAMES, signed } from "../shared/text.js";

const WEAK = 0.1;  // of a score; the colour scale is at least this wide
const [NEUTRAL, WARM, COLD] = [[38, 42, 52], [255, 128, 0], [64, 156, 255]];

function largest(effects) {
  return Math.max(...effects.flat().map(Math.abs));
}

// `effects`: rows of cells from the top: how much the score falls if the cell is covered.
export function drawHeat(canvas, effects) {
  const most = Math.max(WEAK, largest(effects));
  [canvas.height, canvas.width] = [effects.length, effects[0].length];
  const brush = canvas.getContext("2d");
  const pixels = brush.createImageData(canvas.width, canvas.height);
  effects.flat().forEach((effect, i) => {
    const strength = Math.min(Math.abs(effect) / most, 1);
    const end = effect < 0 ? COLD : WARM;
    pixels.data.set([...NEUTRAL.map((c, j) => c + (end[j] - c) * strength), 255], 4 * i);
  });
  brush.putImageData(pixels, 0, 0);
}

export function legendOf({ effects, seen, label, mode, score }) {
  const most = Math.max(WEAK, largest(effects));
  return [
    `lowers the score ${signed(-most)}`, make("span", { class: "scale" }), `${signed(most)} raises it`,
    make("br"), largest(effects) < WEAK ? "No part of the photo matters much here. " : "",
    `${MODE_NAMES[mode]} score of ${label}: ${score.toFixed(2)}. The colour shows how much of it is lost`
    + " when that part is covered.",
    Math.max(seen[0], seen[1]) > 0.005 ? " The model does not see the dark part." : "",
  ];
}
