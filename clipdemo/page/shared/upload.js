// Sends files in parts and goes on where it was when the line is back; parts.py is the server's side.

const PART = 2 ** 20;  // bytes; what nginx takes unless it is told otherwise
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

// Whether waiting mends nothing: refused by the server or by what stands before it, or 507, no room.
function isFinal(status) {
  return (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) || status === 507;
}

let sending = 0;
addEventListener("beforeunload", (event) => {
  if (sending) event.preventDefault();  // the browser asks whether to leave
});

// Sends what is missing of a file and returns its path at the server, or null once `signal` is aborted.
// `told` is called with the bytes that are there. Throws an error with a sentence for what waiting does
// not mend.
export async function send(file, bag, { at = 0, told = () => {}, signal } = {}) {
  sending += 1;
  try {
    return await sendParts(file, bag, at, told, signal);
  } finally {
    sending -= 1;
  }
}

async function sendParts(file, bag, at, told, signal) {
  const about = `name=${encodeURIComponent(file.name)}&size=${file.size}`;
  for (let tries = 0; !signal?.aborted;) {
    const body = await file.slice(at, at + PART).arrayBuffer().catch(() => {
      throw new Error(`${file.name} cannot be read: choose it again.`);
    });
    const answer = await fetch(`parts/${bag}/${keyOf(file)}?${about}&at=${at}`, { method: "PUT", body, signal })
      .catch(() => null);
    const said = await answer?.json().catch(() => null);
    if (answer?.ok && said) {
      at = said.at;
      tries = 0;
      told(at);
      if (said.path) return said.path;
    } else if (isFinal(answer?.status)) {
      throw new Error(said?.detail
        ?? `${file.name} was refused on its way (error ${answer.status}): try another one.`);
    } else if (!signal?.aborted) {
      await wait(PAUSE[Math.min(tries++, PAUSE.length - 1)]);
    }
  }
  return null;
}
