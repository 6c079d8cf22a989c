// What is on the desk outlives a reload of this tab: caption, own labels, rule, thresholds, and the
// photo for as long as the server keeps it.

const KEY = "clipdemo.desk";

// `link` is as link.js writes it; `photo` is the photo's address, or null.
export function remember(link, photo) {
  stored(() => sessionStorage.setItem(KEY, JSON.stringify({ link, photo })));
}

export function forget() {
  stored(() => sessionStorage.removeItem(KEY));
}

// {link, photo}, or null. What a link says goes first.
export function remembered() {
  return location.hash.length > 1 ? null : stored(() => JSON.parse(sessionStorage.getItem(KEY)));
}

// Some browsers let no page keep anything.
function stored(work) {
  try {
    return work();
  } catch {
    return null;
  }
}
