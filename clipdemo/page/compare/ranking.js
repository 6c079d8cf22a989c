// The label that the words and the map are about: the one clicked last, else the highest that the
// modes disagree on, else the highest.
// Needs dom.js; `state` and `rows` are the board's. Other scripts hear "clipdemo-label" {label, labels,
// modes, fresh: whether the scores are new} and send "clipdemo-choose" {label}, or {} to be told.

function nameOf(label) {
  const name = make("button", { type: "button", class: "name" }, label);
  name.addEventListener("click", () => chooseLabel(label));
  return name;
}

function chooseLabel(label) {
  if (label !== undefined) state.label = label;
  tellLabel(false);
}

function tellLabel(fresh) {
  const modes = Object.keys(state.scores);
  const best = (i) => Math.max(...modes.map((mode) => state.scores[mode][i]));
  const split = (i) => ["true", "false"].every((on) => rows[i].row.querySelector(`.cell:not(.missing)[data-on="${on}"]`));
  const top = state.labels.map((label, i) => i).sort((a, b) => split(b) - split(a) || best(b) - best(a))[0];
  const label = state.labels.includes(state.label) ? state.label : state.labels[top];
  for (const { row } of rows) {
    const name = row.querySelector(".name");
    name.setAttribute("aria-pressed", modes.length > 0 && name.textContent === label);
  }
  const detail = { label, labels: state.labels, modes, fresh };
  document.dispatchEvent(new CustomEvent("clipdemo-label", { detail }));
}

document.addEventListener("clipdemo-choose", ({ detail }) => chooseLabel(detail.label));
