// Sends files in parts and goes on where it was when the line is back; parts.py is the server's side.

const PART = 2 ** 21;  // bytes
const PAUSE = [500, 1000, 2000, 5000];  // milliseconds before each new try; the last ones are alike

// An id that nobody guesses; crypto.randomUUID exists only where pages come encrypted.
export function newBag() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The same for the same file, also after a reload (FNV-1a of its name, with its size and time).
export function keyOf(file) {
  let hash = 0x811c9dc5;
  for (const letter of file.webkitRelativePath || file.name) {
    hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193) >>> 0;
  }
  return [hash, file.size, file.lastModified].map((n) => n.toString(36).padStart(7, "0")).join("-");
}

// What of a bag is at the server; null while it does not answer.
export function arrived(bag) {
  return fetch(`parts/${bag}`, { cache: "no-store" })
    .then((answer) => (answer.ok ? answer.json() : null), () => null)
    .then((found) => found?.files ?? null);
}

const wait = (milliseconds) => new Promise((go) => setTimeout(go, milliseconds));

// Sends what is missing of a file and returns its path at the server. `told` is called with the bytes
// that are there. Throws an error with a sentence for what waiting does not mend.
export async function send(file, bag, { at = 0, told = () => {}, stopped = () => false } = {}) {
  const about = `name=${encodeURIComponent(file.name)}&size=${file.size}`;
  for (let tries = 0; ;) {
    const part = await file.slice(at, at + PART).arrayBuffer().catch(() => {
      throw new Error(`${file.name} cannot be read: choose it again.`);
    });
    if (stopped()) return null;
    const answer = await fetch(`parts/${bag}/${keyOf(file)}?${about}&at=${at}`, { method: "PUT", body: part })
      .catch(() => null);
    const said = await answer?.json().catch(() => null);
    if (answer?.ok && said) {
      at = said.at;
      tries = 0;
      told(at);
      if (said.path) return said.path;
    } else if (said?.detail && (answer.status < 500 || answer.status === 507)) {  // 507: no room
      throw new Error(said.detail);
    } else {
      await wait(PAUSE[Math.min(tries++, PAUSE.length - 1)]);
    }
  }
}
