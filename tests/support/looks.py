"""Requirements on every view of the page: all of it can be reached and is accessible."""

from axe_playwright_python.sync_playwright import Axe

# Visible controls that extend beyond the viewport and are not in a scrollable strip.
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
    .filter((e) => !e.closest("[aria-hidden=true]"))
    .filter((e) => e.getClientRects().length && e.type !== "range" || e.closest("#threshold"))
    .map(strip)
    .filter((e) => {
      const { left, right } = e.getBoundingClientRect();
      return left < -1 || right > innerWidth + 1;
    })
    .map((e) => `outside: ${e.outerHTML.slice(0, 100)}`);
}"""

# Rules that take long and whose violations are moderate at most.
MILD = {rule: {"enabled": False} for rule in ("region", "hidden-content", "aria-allowed-role")}


def untidy(page) -> list[str]:
    """Problems of the page's current view, except for Gradio's own footer.

    These are controls outside the viewport, a page that scrolls sideways, and whatever axe-core
    rates as serious or critical, such as a contrast below 4.5 or a field without a name.
    """
    page.mouse.move(0, 0)
    found = page.evaluate(OUTSIDE)
    if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
        found.append("the page scrolls sideways")
    options = {"resultTypes": ["violations"], "rules": MILD}
    violations = Axe().run(page, {"exclude": [["footer"]]}, options).response["violations"]
    for violation in violations:
        if violation["impact"] in ("serious", "critical"):
            html = violation["nodes"][0]["html"]
            found.append(f"{violation['id']} ({len(violation['nodes'])}): {html[:150]}")
    return found
