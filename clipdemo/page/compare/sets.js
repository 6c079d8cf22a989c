// The label sets on top of the board, and what the modes disagree on. Needs dom.js.

const TITLES = { image: "Photo", text: "Caption", concat: "Both", mutan: "MUTAN" };
const BOTH = "needs photo and caption";
const NEEDS = { image: "needs a photo", text: "needs a caption", concat: BOTH, mutan: BOTH };
const verdict = make("p", { class: "verdict", role: "status" });
const setList = make("div", { class: "sets" });
const sets = {};

function buildSets(modes) {
  for (const mode of Object.keys(sets)) delete sets[mode];
  setList.replaceChildren();
  for (const mode of modes) {
    sets[mode] = make("span", { class: "chips" });
    setList.append(make("div", { class: "set", "data-mode": mode },
      make("span", { class: "title" }, TITLES[mode]), sets[mode]));
  }
}

function paintSets(decisions) {
  const present = Object.keys(sets).filter((mode) => decisions[mode]);
  const votes = state.labels.map((label, i) => present.filter((mode) => decisions[mode].on[i]).length);
  const split = (i) => votes[i] > 0 && votes[i] < present.length;
  for (const [mode, box] of Object.entries(sets)) {
    const chips = [];
    if (decisions[mode]) {
      const on = state.labels.map((label, i) => i).filter((i) => decisions[mode].on[i]);
      on.sort((a, b) => state.scores[mode][b] - state.scores[mode][a]);
      for (const i of on) {
        const others = present.filter((m) => m !== mode && !decisions[m].on[i]);
        const chip = make("button", { type: "button", class: split(i) ? "chip differs" : "chip" }, state.labels[i]);
        chip.addEventListener("click", () => chooseLabel(state.labels[i]));
        if (others.length) chip.title = `not by ${others.map((m) => TITLES[m]).join(" and ")}`;
        chips.push(chip);
      }
    }
    const empty = decisions[mode] ? "no label" : NEEDS[mode];
    box.replaceChildren(...(chips.length ? chips : [make("span", { class: "none" }, empty)]));
  }
  const disputed = state.labels.filter((label, i) => split(i));
  verdict.textContent =
    state.waiting ? "Loading the model; the page is ready in a few seconds …"
    : present.length === 0 ? `${asked()}, or choose a scene.`
    : Object.keys(sets).length === 1 ? `${votes.filter(Boolean).length} of ${votes.length} labels.`
    : present.length === 1 ? `${TITLES[present[0]]} alone so far.`
    : disputed.length > 5 ? `They disagree on ${disputed.length} labels.`
    : disputed.length ? dispute(decisions, disputed)
    : "All agree.";
  verdict.classList.toggle("disputed", disputed.length > 0);
}

// Who says what the others do not.
function dispute(decisions, disputed) {
  const on = (mode, label) => decisions[mode]?.on[state.labels.indexOf(label)] ?? false;
  const [photo, caption] = [(label) => on("image", label), (label) => on("text", label)];
  const parts = [
    ["the caption adds", disputed.filter((label) => caption(label) && !photo(label))],
    ["only the photo shows", disputed.filter((label) => photo(label) && !caption(label))],
    ["both together add", disputed.filter((label) => !photo(label) && !caption(label))],
    ["both together drop", disputed.filter((label) => photo(label) && caption(label))],
  ].filter(([, labels]) => labels.length).map(([what, labels]) => `${what} ${labels.join(", ")}`);
  const sentence = parts.join("; ");
  return `${sentence[0].toUpperCase()}${sentence.slice(1)}.`;
}

// What the heads can be given.
function asked() {
  const [photo, caption] = ["image", "text"].map((mode) => reads(mode));
  return !caption ? "Give it a photo" : !photo ? "Give it a caption" : "Give it a photo, a caption or both";
}

// Whether any head reads photos (image) or captions (text); all but the one of the other kind do.
function reads(kind) {
  const other = { image: "text", text: "image" }[kind];
  return Object.keys(sets).some((mode) => mode !== other);
}
