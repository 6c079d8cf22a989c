// How numbers and modes read.

export const MODE_NAMES = { image: "Photo", text: "Caption", concat: "Both", mutan: "MUTAN" };
export const LEAST = 0.005;  // a smaller difference of scores would read as 0.00

// MODE_NAMES within a sentence.
export function modeName(mode) {
  return mode === "mutan" ? MODE_NAMES.mutan : MODE_NAMES[mode].toLowerCase();
}

// A difference of scores.
export function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}
