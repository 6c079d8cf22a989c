// After another caption or a word switched off: where each bar stood before, and how far it moved.
// Needs dom.js and controls.js; `rows` are the board's.

const dismiss = make("button", { type: "button", id: "dismiss" }, "Dismiss");
const moved = make("span", { class: "moved" }, "○ before the last change. ", dismiss);
controls.append(moved);
let before = null;  // {given, labels, scores} of the board that was shown last
let ghosts = null;  // scores per mode and label that it is compared with

dismiss.addEventListener("click", () => {
  ghosts = null;
  paintGhosts();
});

// New scores: a ghost of the last ones, where only the caption is another.
function compareWithLast(given) {
  const now = { given, labels: state.labels, scores: state.scores };
  const [backbone, photo, caption] = before?.given ?? [];
  const same = given && backbone === given[0] && photo === given[1];
  if (!same) ghosts = null;
  else if (caption !== given[2]) ghosts = byLabel(before);
  before = now;
  paintGhosts();
}

function byLabel({ labels, scores }) {
  const found = {};
  for (const [mode, values] of Object.entries(scores)) {
    found[mode] = new Map(labels.map((label, i) => [label, values[i]]));
  }
  return found;
}

function paintGhosts() {
  let any = false;
  rows.forEach(({ cells }, i) => {
    for (const [mode, { bar, number }] of Object.entries(cells)) {
      bar.querySelector(".ghost")?.remove();
      number.querySelector("small")?.remove();
      const old = ghosts?.[mode]?.get(state.labels[i]);
      const score = state.scores[mode]?.[i];
      if (old === undefined || score === undefined || Math.abs(score - old) < LEAST) continue;
      any = true;
      const ghost = make("i", { class: "ghost", "data-before": old.toFixed(4) });
      ghost.style.setProperty("--before", old);
      bar.append(ghost);
      number.append(make("small", { "data-moved": (score - old).toFixed(4) }, signed(score - old).replace("0.", ".")));
    }
  });
  moved.classList.toggle("none", !any);
}
