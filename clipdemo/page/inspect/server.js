// Requests to the server, relative to the page's own address.

function answerTo(path, body) {
  const headers = { "Content-Type": "application/json" };
  return fetch(`inspect/${path}`, body && { method: "POST", headers, body: JSON.stringify(body) });
}

// The JSON of an answer, or {notice, lost}: a sentence on why there is none.
export async function getJson(path, body) {
  try {
    return await (await answerTo(path, body)).json();
  } catch {
    return { notice: "The server does not answer: is the app still running?", lost: true };
  }
}

export async function getBlob(path, body) {
  return (await answerTo(path, body)).blob();
}

// Counts of scores, see counts.js; null if they could not be fetched.
export async function getCounts() {
  const answer = await answerTo("counts").catch(() => null);
  return answer?.ok ? new Uint32Array(await answer.arrayBuffer()) : null;
}

// Polls until `ready(answer)`, also over a lost connection; `meanwhile` is called with the answers
// before.
export async function waitFor(path, ready, meanwhile, pause) {
  for (;;) {
    const answer = await getJson(path);
    if (!answer.lost && (answer.notice || ready(answer))) return answer;
    if (!answer.lost) meanwhile(answer);
    await new Promise((done) => setTimeout(done, pause));
  }
}
