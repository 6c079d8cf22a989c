// Text for numbers and modes. A mode has the same name on every tab, in files and in the API.

export const MODE_NAMES = { image: "Image", text: "Text", concat: "Concat", mutan: "MUTAN" };
export const MODE_READS = {
  image: "Reads the photo alone", text: "Reads the caption alone",
  concat: "Reads photo and caption side by side", mutan: "Reads photo and caption multiplied",
};
export const LEAST = 0.005;  // a smaller difference of scores would be shown as 0.00

// MODE_NAMES within a sentence.
export function modeName(mode) {
  return mode === "mutan" ? MODE_NAMES.mutan : mode;
}

// A difference of scores.
export function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}

// The first characters of a text (null: none). String's own slice can cut one in half.
export function firstCharacters(text, count) {
  return Array.from(text ?? "").slice(0, count).join("");
}
