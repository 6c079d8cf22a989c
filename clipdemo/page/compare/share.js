// What can be taken away from the board: its labels as text, all of it as JSON, and a link that
// restores caption, rule and thresholds. Runs behind board.js and results.js.

const copyLabels = make("button", { type: "button" }, "Copy labels");
const saveJson = make("button", { type: "button" }, "Download JSON");
const copyLink = make("button", { type: "button" }, "Copy link");
const copied = make("span", { role: "status" });
const byHand = make("textarea", { readonly: "", rows: 3, "aria-label": "Copy it from here" });
const field = (place) => document.querySelector(`${place} textarea, ${place} input`);
const deciding = (mode) => ({ ...state, tuned: thresholds(mode) });
copyLink.title = "Restores caption, rule and thresholds; the photo is not in it";

function boardEntry() {
  const source = document.querySelector("#photo img")?.src ?? "";
  const name = source.startsWith("data:") ? "" : source.split(/[?#]/)[0].split("/").pop();
  const said = { caption: reads("text") ? field("#caption")?.value.trim() : "" };
  document.dispatchEvent(new CustomEvent("clipdemo-spoken", { detail: said }));  // words may be off
  const { caption } = said;
  const about = { name: decoded(name), caption, by: caption && "given", scores: state.scores };
  return entryOf(about, state.labels, deciding);
}

function asText() {
  const told = boardEntry();
  const lines = Object.entries(told.labels).map(([mode, labels]) =>
    `${TITLES[mode]}: ${labels.map((l) => `${l} ${told.scores[mode][l].toFixed(2)}`).join(", ") || "no label"}`);
  const numbers = Object.values(usedRule(state)).slice(1);
  const how = [rule.selectedOptions[0].textContent, ...numbers].join(" ");
  const moved = Object.keys(state.own).length ? ", some dragged" : "";
  return `${lines.join("\n")}\nRule: ${how}${moved}. Backbone: ${state.received.backbone}.`;
}

function asLink() {
  const kept = new URLSearchParams(usedRule(state));
  const { caption } = boardEntry();  // without the words that are off
  if (caption) kept.set("caption", caption);
  if (field("#own-labels")?.value) kept.set("labels", field("#own-labels").value);
  for (const [i, value] of Object.entries(state.own)) kept.append("own", `${value}:${state.labels[i]}`);
  return `${location.origin}${location.pathname}#${kept}`;
}

// Browsers let a page copy only over https and on this machine; elsewhere the text is shown.
async function copy(text, sentence) {
  try {
    await navigator.clipboard.writeText(text);
    byHand.hidden = true;
    copied.textContent = sentence;
  } catch {
    byHand.hidden = false;
    byHand.value = text;
    byHand.select();
    copied.textContent = "This browser does not copy from here: copy the text below.";
  }
}

copyLabels.addEventListener("click", () => copy(asText(), "Labels copied."));
const here = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
copyLink.addEventListener("click", () =>
  copy(asLink(), "Link copied: caption, rule and thresholds are in it, the photo is not."
    + (here ? " It opens on this computer only." : "")));
saveJson.addEventListener("click", () => {
  const { backbone, head } = state.received;
  const told = { backbone, head, ...usedRule(state), ...boardEntry() };
  save("clipdemo-board.json", "application/json", `${JSON.stringify(told, null, 1)}\n`);
});

// A number of a link, or `otherwise` where it is none from `low` to `high`.
function within(text, low, high, otherwise) {
  const number = Number(text || NaN);
  return number >= low && number <= high ? number : otherwise;
}

// The part of the address behind #, which is never sent to the server, may be anything at all.
let dragged = [];
function restore() {
  const kept = new URLSearchParams(location.hash.slice(1));
  if (!["rule", "caption", "labels", "own"].some((key) => kept.has(key))) return;
  const known = (list, value) => [...list.options].find((o) => !o.disabled && o.value === value)?.value;
  const wanted = within(kept.get("recall"), 0, 1, 0.9).toFixed(2);
  Object.assign(state, {
    rule: known(rule, kept.get("rule")) ?? START.rule,
    threshold: within(kept.get("threshold"), 0, 1, START.threshold),
    k: Math.round(within(kept.get("k"), 1, state.labels.length, START.k)),
    recall: known(recall, wanted) ?? state.recall,
    own: {},
  });
  count.value = state.k;
  dragged = kept.getAll("own").map((text) => text.match(/^([^:]*):(.*)$/s)).filter(Boolean);
  drag();
  type("#caption", (kept.get("caption") ?? "").slice(0, 2000));
  type("#own-labels", (kept.get("labels") ?? "").slice(0, 600));
}

// Labels that were typed in come later than those of the heads.
function drag() {
  for (const [, value, label] of dragged) {
    const i = state.labels.indexOf(label);
    if (i >= 0) state.own[i] = within(value, 0, 1, thresholds(Object.keys(sets)[0])[i]);
  }
  dragged = dragged.filter(([, , label]) => !state.labels.includes(label));
  paint();
  announce();
}

// As a person types, so that the board follows; the field may come later than the board.
function type(place, text, tries = 100) {
  const area = field(place);
  if (!area) {
    if (tries) setTimeout(type, 100, place, text, tries - 1);
  } else if (area.value !== text) {
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

byHand.hidden = true;
element.append(make("div", { class: "share" }, copyLabels, saveJson, copyLink, copied), byHand);
watch("value", () => dragged.length && drag());
window.addEventListener("hashchange", restore);
restore();
