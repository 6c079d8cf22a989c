"""The page fits a laptop and a phone, and its text can be read, in light and in dark."""

import pytest
from support.driver import PATIENCE, shows, visit
from support.paths import SCENES

pytestmark = pytest.mark.browser

CAPTION = "A city bus waits at a traffic light."

# Visible controls that reach beyond the viewport and cannot be scrolled to in a strip of their own.
OUTSIDE = """() => {
  const strip = (e) => {
    for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(p).overflowX) && p.scrollWidth > p.clientWidth)
        return p;
    }
    return e;
  };
  return [...document.querySelectorAll("button, input, select, textarea")]
    .filter((e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
    .filter((e) => e.getClientRects().length && e.type !== "range" || e.closest("#threshold"))
    .map(strip)
    .filter((e) => {
      const { left, right } = e.getBoundingClientRect();
      return left < -1 || right > innerWidth + 1;
    })
    .map((e) => e.outerHTML.slice(0, 100));
}"""

# [contrast, text] of what is written in head, board and panels, as the screen mixes colours.
CONTRASTS = """() => {
  const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const put = (color, alpha) => {
    brush.globalAlpha = alpha;
    brush.fillStyle = color;
    brush.fillRect(0, 0, 1, 1);
  };
  const luminance = () => {
    const [r, g, b] = [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3).map((v) => {
      v /= 255;
      return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return [...document.querySelectorAll("#head *, #board *, #words *, #region *")]
    .filter((e) => e.checkVisibility() && !e.matches("option, [class*=progress]") &&
      [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((e) => {
      const path = [];
      for (let p = e; p; p = p.parentElement) path.unshift(p);
      put("white", 1);
      let alpha = 1;
      for (const p of path) {
        const style = getComputedStyle(p);
        alpha *= Number(style.opacity);
        put(style.backgroundColor, alpha);
      }
      const behind = luminance();
      put(getComputedStyle(e).color, alpha);
      const front = luminance();
      const [low, high] = [behind, front].sort((a, b) => a - b);
      return [(high + 0.05) / (low + 0.05), `${e.className} ${e.textContent}`.slice(0, 50)];
    });
}"""


@pytest.mark.parametrize(
    ("size", "theme"), [((1280, 800), "light"), ((390, 844), "dark")], ids=["laptop", "phone"]
)
def test_nothing_is_cut_off_or_unreadable(browser, url, classifier, size, theme):
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_default_timeout(PATIENCE * 1000)
    errors = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        visit(page, f"{url}?__theme={theme}")
        assert page.evaluate('document.body.classList.contains("dark")') == (theme == "dark")
        page.locator("#scenes button").nth(2).click()
        shows(page, classifier.predict(SCENES / "crossing.webp", CAPTION))
        page.mouse.move(0, 0)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(OUTSIDE) == []
        contrasts = page.evaluate(CONTRASTS)
        assert len(contrasts) > 50
        faint = [f"{contrast:.2f} {text}" for contrast, text in contrasts if contrast < 4.5]
        assert not faint, f"{len(faint)} texts below 4.5:1, such as {faint[:5]}"
        assert errors == []
    finally:
        page.close()
