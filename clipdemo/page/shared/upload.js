// Uploads files in parts and resumes after a lost connection; parts.py is the server's side.

const PART = 2 ** 20;  // bytes; the largest body that nginx accepts by default
const PAUSE = [500, 1000, 2000, 5000];  // milliseconds before each retry; the last one repeats

// An unguessable id; crypto.randomUUID exists only in secure contexts (https or localhost).
export function newBag() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A file's key, the same after a reload (FNV-1a of its name, with its size and time).
export function keyOf(file) {
  let hash = 0x811c9dc5;
  for (const letter of file.webkitRelativePath || file.name) {
    hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193) >>> 0;
  }
  return [hash, file.size, file.lastModified].map((n) => n.toString(36).padStart(7, "0")).join("-");
}

// The files of a bag that are on the server; null while it does not answer.
export function arrived(bag) {
  return fetch(`parts/${bag}`, { cache: "no-store" })
    .then((answer) => (answer.ok ? answer.json() : null), () => null)
    .then((found) => found?.files ?? null);
}

const wait = (milliseconds) => new Promise((go) => setTimeout(go, milliseconds));

// Whether retrying is pointless: refused by the server or a proxy, or 507, no room.
function isFinal(status) {
  return (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) || status === 507;
}

let sending = 0;
addEventListener("beforeunload", (event) => {
  if (sending) event.preventDefault();  // the browser asks whether to leave
});

// Uploads a file from byte `at` on and returns its path on the server, or null once `signal` is
// aborted. `told` is called with the number of bytes that have arrived. Throws an error with one
// sentence if retrying is pointless.
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
        ?? `${file.name} was refused during the upload (error ${answer.status}): try another one.`);
    } else if (!signal?.aborted) {
      await wait(PAUSE[Math.min(tries++, PAUSE.length - 1)]);
    }
  }
  return null;
}
