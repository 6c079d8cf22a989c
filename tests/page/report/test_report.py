"""The report: a tab that is drawn when it is opened, and a self-contained file."""

import json

import pytest
from support.driver import eventually, read, serving, visit, write_caption
from support.made_report import made_report
from support.paths import ROOT

from clipdemo.model.checkpoints import find_card
from clipdemo.page.report.file import report_html
from clipdemo.page.report.panels import panels
from clipdemo.page.report.tab import shown
from clipdemo.page.report.tables import per_label

pytestmark = pytest.mark.browser

SCRIPT = "<img src=x onerror=window.__pwned=1>"
HOSTILE = (SCRIPT, "${window.__pwned=1} {{window.__pwned=1}}", "</script><b>x</b>", "7", "a&lt;b")
NAMES = (*HOSTILE, *(f"label {i}" for i in range(30)))

# Charts that are not drawn, or not drawn at their own width.
UNDRAWN = """() => [...document.querySelectorAll(".report .chart")].filter((chart) => {
  const svg = chart.querySelector(".main-svg");
  return !svg || Math.abs(svg.getBoundingClientRect().width - chart.clientWidth) > 1;
}).length"""

# Texts that leave their chart, or overlap another one of the same axis.
CLASHES = """() => [...document.querySelectorAll(".report .chart")].flatMap((chart) => {
  const frame = chart.getBoundingClientRect();
  const box = (text) => text.getBoundingClientRect();
  const texts = [...chart.querySelectorAll("text")].filter((t) => t.textContent.trim());
  const out = texts.filter((t) => box(t).left < frame.left - 1 || box(t).right > frame.right + 1);
  const clash = (group) => {
    const boxes = [...chart.querySelectorAll(group)].map(box);
    return boxes.filter((a, i) => boxes.some((b, j) => j > i && a.left < b.right - 1 &&
      b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2));
  };
  const title = chart.getAttribute("aria-label");
  return [...out.map((t) => `${title}: ${t.textContent} is cut off`),
    ...[".xtick text", ".ytick text", ".legendtext"].flatMap((group) =>
      clash(group).map(() => `${title}: ${group} overlap`))];
})"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_heads):
    """Heads for the bundled backbone, which a server uses."""
    return write_heads(tmp_path_factory.mktemp("report") / "heads", "tiny", 256).folder


@pytest.fixture(scope="module")
def address(folder, tmp_path_factory):
    with serving(tmp_path_factory.mktemp("server"), CLIPDEMO_CHECKPOINT=str(folder)) as (url, _):
        yield url


@pytest.fixture(scope="module")
def content():
    """A report; not to be changed."""
    return made_report()


@pytest.fixture(scope="module")
def hostile():
    """One for labels with hostile names; not to be changed."""
    return made_report(NAMES)


@pytest.fixture
def requests(visitor):
    """Addresses that the visitor's browser has requested."""
    found = []
    visitor.on("request", lambda request: found.append(request.url))
    return found


def open_tab(page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def open_file(visitor, path, report: dict, width: int = 1280, scheme: str = "light"):
    path.write_text(report_html(report), "utf-8")
    page = visitor.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(path.as_uri())
    eventually(page, lambda: assert_drawn(page))
    return page


def assert_drawn(page) -> None:
    assert page.locator(".report .chart").count() > 10
    assert page.evaluate(UNDRAWN) == 0


def assert_shows(page, report: dict) -> None:
    """Every panel is there, with the line on its source."""
    expected = [(panel["title"], panel["source"]) for panel in panels(report)]
    sections = page.locator(".report section")
    found = [
        (section.locator("h3").text_content(), section.locator(".source").text_content())
        for section in sections.all()
    ]
    assert found == expected


def test_the_tab_is_drawn_when_it_is_opened_and_leaves_compare_alone(
    visitor, address, folder, hostile, requests
):
    (folder / "report.json").write_text(json.dumps(hostile))
    page = visitor.new_page()
    visit(page, address)
    write_caption(page, "a dog and a red bus")
    eventually(page, lambda: assert_scored(page))
    page.locator("#threshold input[type=range]").fill("0.25")
    before = read(page), page.locator("#board").bounding_box()
    assert page.locator(".report").count() == 0
    assert plotly(requests) == []
    open_tab(page, "Report")
    eventually(page, lambda: assert_shows(page, hostile))
    eventually(page, lambda: assert_drawn(page))
    assert_unharmed(page)
    page.get_by_label("Label", exact=True).select_option(label="label 3")
    eventually(page, lambda: assert_drawn(page))
    page.get_by_label("Mode", exact=True).select_option(label="image")
    cells = page.locator("#report-labels tbody tr").first.locator("td").all_text_contents()
    assert cells == per_label(hostile, "image")["rows"][0]
    open_tab(page, "Compare")
    assert (read(page), page.locator("#board").bounding_box()) == before
    assert page.locator("#caption textarea").input_value() == "a dog and a red bus"
    open_tab(page, "Report")
    page.wait_for_timeout(300)
    assert_drawn(page)
    assert len(plotly(requests)) == 1
    assert all(url.startswith((address, "data:", "blob:")) for url in requests)


def plotly(requests: list[str]) -> list[str]:
    return [url for url in requests if "plotly" in url.lower()]


def assert_scored(page) -> None:
    assert {cells["text"][0] != "" for cells in read(page).values()} == {True}


@pytest.mark.parametrize("damaged", [None, "{", "[]", '{"about": {}}'])
def test_without_a_report_one_sentence_says_how_to_make_it(folder, damaged):
    (folder / "report.json").unlink(missing_ok=True)
    if damaged is not None:
        (folder / "report.json").write_text(damaged)
    notice = shown(find_card("tiny", folder))["notice"]
    assert "python -m clipdemo report --runs" in notice
    assert ("no report" if damaged is None else "cannot be read") in notice


def test_the_tab_shows_that_sentence(visitor, address, folder):
    (folder / "report.json").unlink(missing_ok=True)
    page = visitor.new_page()
    visit(page, address)
    open_tab(page, "Report")
    page.locator("#report .notice", has_text="There is no report").wait_for()
    assert page.locator("#report section").count() == 0


def assert_unharmed(page) -> None:
    """Every hostile name is shown literally in the table, the choice and the charts."""
    assert page.evaluate("window.__pwned === undefined")
    assert page.locator("img[src=x]").count() == 0
    cells = page.locator("#report-labels td:first-child").all_text_contents()
    assert cells[2:] == list(NAMES)
    options = page.locator("#report-precision-recall option").all_text_contents()
    assert set(options) <= set(NAMES)
    for panel in ("labels", "adds"):
        ticks = page.locator(f"#report-{panel} .chart").first.locator(".ytick text")
        shown = ["".join(text.split()) for text in ticks.all_text_contents()]
        assert len(shown) == len(NAMES)
        for name, text in zip(NAMES, shown, strict=True):
            assert "".join(name.split()).startswith(text.rstrip("…")), (name, text)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_file_shows_everything_without_requests(
    visitor, requests, tmp_path, content, hostile, scheme, width
):
    """Also on a phone, where the names are hostile; then to a reader who likes other colours."""
    report = hostile if width == 390 else content
    page = open_file(visitor, tmp_path / "report.html", report, width, scheme)
    assert_shows(page, report)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(CLASHES) == []
    page.mouse.wheel(0, 20_000)
    page.wait_for_timeout(300)
    ours = (tmp_path / "report.html").as_uri()
    assert {url for url in requests if not url.startswith("data:")} == {ours}
    paper = page.locator("#report-schedule").evaluate("(e) => getComputedStyle(e).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    text = page.locator("#report-schedule .xtick text").first.evaluate("(e) => e.style.fill")
    assert text == page.locator(".report").evaluate("(e) => getComputedStyle(e).color")
    if report is hostile:
        assert_unharmed(page)
    else:
        assert_follows_colours_and_prints_on_white(page)


def assert_follows_colours_and_prints_on_white(page) -> None:
    """A page opened in light colours."""
    bar = page.locator("#report-baselines .scatterlayer .point").first
    light = bar.evaluate("(e) => e.style.fill")
    page.emulate_media(color_scheme="dark")
    eventually(page, lambda: assert_colour(bar, light, False))
    colour = bar.evaluate("(e) => e.style.fill")
    page.emulate_media(color_scheme="light")
    eventually(page, lambda: assert_colour(bar, light, True))
    page.emulate_media(color_scheme="dark")
    eventually(page, lambda: assert_colour(bar, colour, True))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert_colour(bar, colour, False)
    widths = page.locator(".chart .main-svg:first-of-type").evaluate_all(
        "(svgs) => svgs.map((svg) => svg.getBoundingClientRect().width)"
    )
    assert set(widths) == {680}
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    eventually(page, lambda: assert_colour(bar, colour, True))
    eventually(page, lambda: assert_drawn(page))


def assert_colour(mark, colour: str, same: bool) -> None:
    assert (mark.evaluate("(e) => e.style.fill") == colour) == same


def test_the_bundled_report_fits_a_phone(page, url):
    page.set_viewport_size({"width": 390, "height": 900})
    tabs = [tab.strip() for tab in page.get_by_role("tab").all_text_contents()]
    assert (tabs[0], tabs[-1]) == ("Compare", "Report")
    open_tab(page, "Report")
    report = json.loads((ROOT / "checkpoints" / "tiny" / "report.json").read_text())
    eventually(page, lambda: assert_shows(page, report))
    eventually(page, lambda: assert_drawn(page))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(CLASHES) == []
