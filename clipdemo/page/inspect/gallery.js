// The photos that the filters find, most wrong first, and what was found out about them.

const PAGE = 24;
const FINDINGS = ["label wrong", "caption wrong", "caption silent", "hard to see", "model wrong", "note"];
const WITH_BOTH = "with photo and caption";
const NEEDED = { image: "with a photo", text: "with a caption", concat: WITH_BOTH, mutan: WITH_BOTH };
const found = { total: 0, rows: [], asked: 0 };
const tally = make("p", { class: "tally", role: "status" });
const cards = make("div", { class: "cards" });
const more = make("button", { type: "button", class: "more" }, "Show more");
const download = make("a", { class: "download", href: "inspect/findings.csv", download: "findings.csv" });
const legend = make("p", { class: "legend" }, "✓ found   − missed   + false   ? the table may be wrong (cleanlab)");
const saveRows = make("button", { type: "button", class: "save" }, "Download these rows (CSV)");
const gallery = make("section", { class: "gallery" },
  make("div", { class: "gallery-head" }, tally, download), legend, cards, make("div", {}, more, saveRows));
more.addEventListener("click", () => fetchRows(found.rows.length));

async function fromServer(path, body) {
  const asked = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    return await (await fetch(`inspect/${path}`, asked)).json();
  } catch {
    return { notice: "The server does not answer: is the app still running?" };
  }
}

saveRows.addEventListener("click", async () => {
  const answer = await fetch("inspect/rows.csv", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question()),
  });
  const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: "rows.csv" });
  link.click();
  URL.revokeObjectURL(link.href);
});

function question() {
  const thresholds = Object.fromEntries(inspected.modes.map((mode) => [mode, thresholdsOf(mode)]));
  return { ...view, thresholds };
}

// Rows of the current filters from a place on; an answer that a newer question overtook is dropped.
async function fetchRows(start = 0) {
  const asked = ++found.asked;
  const asking = question();
  const answer = await fromServer("rows", { ...asking, start, count: PAGE });
  if (asked !== found.asked) return;
  if (!start && walk.at >= 0) {  // somebody walks through the rows there are: later
    found.thresholds = null;
    return;
  }
  if (answer.notice) {
    tally.textContent = answer.notice;
    return;
  }
  Object.assign(found, { thresholds: JSON.stringify(asking.thresholds), total: answer.total, rows: start ? [...found.rows, ...answer.rows] : answer.rows });
  const built = answer.rows.map(buildCard);
  if (start) cards.append(...built);
  else cards.replaceChildren(...built);
  const rows = `${inspected.about.known[view.mode]} rows ${NEEDED[view.mode]}`;
  tally.textContent = found.total ? `${found.total} of ${rows}, most wrong first` : `None of ${rows}: clear a filter.`;
  tally.dataset.total = found.total;
  more.hidden = found.rows.length >= found.total;
  paintCards();
  saveRows.hidden = !found.total;
  tellInstead(answer.instead);
  clearTimeout(found.later);
  if (answer.judging) found.later = setTimeout(() => walk.at < 0 && fetchRows(), 1500);  // the doubts are not there yet
}

function buildCard(entry) {
  const shown = make("button", { type: "button", class: "open", title: `${entry.id}: open on the Compare board` });
  if (inspected.about.photos) {
    const picture = make("img", { loading: "lazy", alt: entry.id, src: `inspect/photo/${entry.row}` });
    picture.addEventListener("error", () => picture.replaceWith(make("span", { class: "no-photo" }, "no photo")));
    shown.append(picture);
  } else shown.append(make("span", { class: "no-photo" }, entry.id));
  shown.addEventListener("click", () => openRow(found.rows.indexOf(entry)));
  entry.chips = make("p", { class: "chips" });
  entry.modes = make("p", { class: "by-mode" });
  entry.marks = make("div", { class: "marks" });
  if (inspected.about.marks) entry.marks.append(buildMark(entry));
  return make("article", { class: "card", "data-row": entry.row, "data-id": entry.id }, shown,
    make("p", { class: "file" }, entry.id), entry.modes, entry.chips,
    make("p", { class: "caption", title: entry.caption }, entry.caption), entry.marks);
}

function buildMark(entry) {
  const kind = choice({ "aria-label": `Finding about ${entry.id}` },
    [["", "mark …"], ...FINDINGS.map((name) => [name, name])]);
  const note = make("input", { type: "text", maxlength: 500, placeholder: "note", "aria-label": `Note about ${entry.id}` });
  kind.value = entry.finding?.finding ?? "";
  note.value = entry.finding?.note ?? "";
  note.hidden = !kind.value;
  const keep = async () => {
    note.hidden = !kind.value;
    const finding = kind.value ? { finding: kind.value, note: note.value, ...lookedAt(entry) } : null;
    const answer = await fromServer("mark", { row: entry.row, finding });
    entry.finding = finding;
    if (answer.notice) tally.textContent = answer.notice;
    else tellFindings(answer.findings);
  };
  kind.addEventListener("change", keep);
  note.addEventListener("change", keep);
  return make("div", { class: "mark" }, kind, note);
}

// What a finding is about: the chosen label, if there is one, with its score and threshold of now.
function lookedAt({ steps }) {
  if (view.label === null) return { mode: view.mode };
  const score = steps[view.mode]?.[view.label];
  return {
    mode: view.mode, label: inspected.labels[view.label],
    score: score === undefined ? "" : score / STEPS, threshold: thresholdsOf(view.mode)[view.label].toFixed(4),
  };
}

function tellFindings(count) {
  download.hidden = !count;
  download.textContent = `Download ${count} finding${count === 1 ? "" : "s"} (CSV)`;
}

// What each shown row's decisions are now.
function paintCards() {
  const cut = thresholdsOf(view.mode);
  const thresholds = cut.map(firstStep);
  for (const { truth, steps, suspects, chips, modes } of found.rows) {
    paintModes(modes, steps);
    const scores = steps[view.mode];
    const all = inspected.labels.map((label, l) => l).filter((l) => truth.includes(l) || (scores && scores[l] >= thresholds[l]));
    if (view.label !== null && !all.includes(view.label)) all.unshift(view.label);
    all.sort((a, b) => (b === view.label) - (a === view.label));
    chips.replaceChildren(...all.map((l) => {
      const [isTrue, on] = [truth.includes(l), Boolean(scores && scores[l] >= thresholds[l])];
      const outcome = isTrue ? (on ? "found" : "missed") : on ? "false" : "off";
      const sign = { found: "✓", missed: "−", false: "+", off: "" }[outcome];
      const score = scores ? ` ${(scores[l] / STEPS).toFixed(2)}` : "";
      const doubt = suspects.includes(l) ? " ?" : "";
      const title = `${outcome === "off" ? "not predicted" : outcome}; threshold ${cut[l].toFixed(2)}`
        + (doubt && `; the table perhaps wrongly ${isTrue ? "has" : "lacks"} it`);
      return make("span", { class: `chip ${outcome}`, "data-label": inspected.labels[l], title },
        `${sign} ${inspected.labels[l]}${score}${doubt}`);
    }));
  }
}

// What each mode says of the chosen label.
function paintModes(line, steps) {
  line.hidden = view.label === null || inspected.modes.length < 2;
  if (line.hidden) return;
  line.replaceChildren(...inspected.modes.filter((mode) => steps[mode]).map((mode) => {
    const score = steps[mode][view.label];
    const on = score >= firstStep(thresholdsOf(mode)[view.label]);
    return make("span", { "data-mode": mode, class: on ? "on" : "" },
      `${MODE_NAMES[mode].toLowerCase()} ${(score / STEPS).toFixed(2)}${on ? " ✓" : ""}`);
  }));
}

function toGallery() {
  // On a wide page it stands beside the table already.
  const { top } = gallery.getBoundingClientRect();
  if (top > innerHeight * 0.6) gallery.scrollIntoView({ behavior: "smooth", block: "start" });
}
