// Access to Gradio's components from our own parts of the page.

export function photoAddress() {
  return document.querySelector("#photo img")?.src ?? null;
}

export function clearPhoto() {
  document.querySelector("#photo [aria-label='Remove Image']")?.click();
}

// File name of the photo on the Compare tab; "" for none.
export function photoName() {
  const address = photoAddress() ?? "";
  const name = address.startsWith("data:") ? "" : address.split(/[?#]/)[0].split("/").pop();
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

export function textOf(id) {
  return textField(id)?.value ?? "";
}

function textField(id) {
  return document.querySelector(`#${id} textarea, #${id} input`);
}

// Sets a field as if by typing, so that the board follows; Gradio may add the field later.
export function typeInto(id, text, tries = 100) {
  const field = textField(id);
  if (!field) {
    if (tries) setTimeout(typeInto, 100, id, text, tries - 1);
  } else if (field.value !== text) {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

export function openTab(name) {
  const tabs = [...document.querySelectorAll("button[role=tab]")];
  tabs.find((tab) => tab.textContent.trim() === name)?.click();
}

// Whether this tab is selected; its parts may still be loading.
export function isTabOpen(name) {
  const chosen = document.querySelector("button[role=tab][aria-selected=true]");
  return chosen?.textContent.trim() === name;
}

// Calls `work` when the page turns light or dark.
export function onThemeChange(work) {
  new MutationObserver(work).observe(document.body, { attributeFilter: ["class"] });
}
