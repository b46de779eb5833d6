"""Accessibility that only a browser can tell: contrast, focus, width, the reader's own colours.

Every page in every state of tests/pages is shown as its server sent it, without a server.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Locator, Page, expect

from kiosque.settings.colours import contrast
from tests import sentences
from tests.browser.conftest import PHONE, Demo, Household, Visitor, called, showing
from tests.browser.keyboard import Keyboard
from tests.conftest import PUBLIC_URL
from tests.pages.stage import Seen

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1280, "height": 800}
#: A4 without its margins.
PAPER = {"width": 718, "height": 1047}
#: RGAA asks 4.5:1; we promise 7:1, which axe checks when told to.
ENHANCED = {"color-contrast-enhanced": {"enabled": True}, "target-size": {"enabled": True}}
CONTRAST = ["color-contrast", "color-contrast-enhanced"]

AXE_RUN = """async (options) => {
  const found = await axe.run(document, {resultTypes: ["violations"], ...options});
  return found.violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`));
}"""

#: What is cut off or lies beyond the screen's edges, to which one cannot scroll sideways.
LOST = """() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  const lost = wide > 0 ? [`the page, by ${wide} px`] : [];
  for (const node of document.body.querySelectorAll("*")) {
    if (node.closest(".sr, .skip, .scroll, .cards thead")) continue;
    if (!node.getClientRects().length) continue;
    const box = node.getBoundingClientRect();
    const cut = getComputedStyle(node).overflowX !== "visible" && node.tagName !== "INPUT"
      && node.scrollWidth > node.clientWidth + 1;
    if (box.right > innerWidth + 1 || box.left < -1 || cut) lost.push(node.outerHTML.slice(0, 120));
  }
  return lost;
}"""

#: Numbers broken at a hyphen, words that are broken though they are not long, and addresses of
#: e-mail that would be broken elsewhere than after their signs.
BROKEN = r"""() => {
  const found = [], range = document.createRange();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.parentElement.closest("script, noscript, textarea, .sr, .cards thead")) continue;
    if (/\S{5,}@\S{5,}\.\w/.test(text.data)) found.push(text.data.trim());
    for (const word of text.data.matchAll(/\d+(-\d+)+|[\p{L}\d]+/gu)) {
      if (word[0].length > 13) continue;
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (lines.size > 1) found.push(`${word[0]}, in: ${text.data.trim().slice(0, 60)}`);
    }
  }
  return found;
}"""

#: What is folded is looked at too.
OPEN = "() => document.querySelectorAll('details').forEach((node) => { node.open = true; })"

#: For each thing that takes the focus: its outline, and the ground around it.
FOCUS = """() => [...document.querySelectorAll(
  "a[href], button, input, select, summary, [tabindex]")]
  .filter((node) => node.getClientRects().length && node.type !== "hidden")
  .map((node) => {
    node.focus({preventScroll: true, focusVisible: true});
    const style = getComputedStyle(node);
    let ground = node.parentElement;
    while (ground.parentElement && /, 0\\)$/.test(getComputedStyle(ground).backgroundColor))
      ground = ground.parentElement;
    return {
      what: node.outerHTML.slice(0, 100),
      focused: document.activeElement === node,
      style: style.outlineStyle, width: parseFloat(style.outlineWidth),
      colour: style.outlineColor, ground: getComputedStyle(ground).backgroundColor,
    };
  })"""

#: On paper: the town and the family that are not shown, the menus and buttons that are. A receipt
#: bears its own names, and the bank's pages are not ours.
PRINTED = """() => {
  if (!document.querySelector(".town")) return [];
  const shown = (node) => node.getClientRects().length > 0;
  const all = (which) => [...document.querySelectorAll(which)];
  const kept = document.querySelector(".document") ? [] : all(".town, .who span");
  const gone = all("body > header nav, .who form, .languages, main form button, main .button");
  return [...kept.filter((node) => !shown(node)), ...gone.filter(shown)]
    .map((node) => node.outerHTML.slice(0, 100));
}"""

#: Text alone enlarged to 200 %, as a browser's own setting does.
ENLARGE = """() => {
  const root = document.documentElement;
  const size = parseFloat(getComputedStyle(root).fontSize) * 2 + "px";
  root.style.setProperty("--pico-font-size", size);
  root.style.fontSize = size;
}"""

MOVING = """() => [...document.querySelectorAll("*")].flatMap((node) =>
  [null, "::before", "::after"].map((part) => getComputedStyle(node, part)).filter((style) =>
    style.transitionDuration.split(",").some((time) => parseFloat(time) > 0) ||
    (style.animationName !== "none" && parseFloat(style.animationDuration) > 0.001)
  ).map(() => node.outerHTML.slice(0, 100)))"""


def report(found: dict[str, list[str]]) -> str:
    return "\n".join(f"{where}:\n  " + "\n  ".join(what) for where, what in found.items() if what)


@dataclass
class Survey:
    """List the faults of every page by state: one walk, read by several tests."""

    axe: dict[str, list[str]] = field(default_factory=dict)
    lost: dict[str, list[str]] = field(default_factory=dict)
    broken: dict[str, list[str]] = field(default_factory=dict)
    faint: dict[str, list[str]] = field(default_factory=dict)
    moving: dict[str, list[str]] = field(default_factory=dict)
    printed: dict[str, list[str]] = field(default_factory=dict)
    focused: int = 0

    def walk(self, page: Page, state: str) -> None:
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.set_viewport_size(PHONE)
        page.evaluate(OPEN)
        self.see(page, state, "light, 320 px", {"rules": ENHANCED})
        self.moving[state] = page.evaluate(MOVING)
        self.broken[state] = page.evaluate(BROKEN)
        # A desktop of 1280 zoomed to 200 %.
        page.set_viewport_size({"width": 640, "height": 400})
        self.lost[f"{state}, 640 px"] = page.evaluate(LOST)
        page.set_viewport_size(DESKTOP)
        page.emulate_media(color_scheme="dark")
        self.see(page, state, "dark, 1280 px", {"rules": ENHANCED})
        # Between the two, what colours can change at the other width.
        page.emulate_media(color_scheme="light")
        self.axe[f"{state}, light, 1280 px"] = page.evaluate(AXE_RUN, {"runOnly": CONTRAST})
        page.emulate_media(media="print")
        page.set_viewport_size(PAPER)
        self.printed[state] = page.evaluate(PRINTED)
        self.lost[f"{state}, on paper"] = page.evaluate(LOST)
        page.emulate_media(media="screen")
        page.set_viewport_size(DESKTOP)
        page.evaluate(ENLARGE)
        self.lost[f"{state}, text at 200 %"] = page.evaluate(LOST)

    def see(self, page: Page, state: str, how: str, axe: dict) -> None:
        self.axe[f"{state}, {how}"] = page.evaluate(AXE_RUN, axe)
        self.lost[f"{state}, {how}"] = page.evaluate(LOST)
        page.keyboard.press("Tab")  # from now on the focus is shown, as to one who uses the keys
        spots = page.evaluate(FOCUS)
        self.focused += len(spots)
        self.faint[f"{state}, {how}"] = [str(spot) for spot in spots if faint(spot)]


#: What `make test` looks at: text, a list, a form with errors, a document, papers and sums, of
#: families and of agents. `make proof` looks at all the others.
OF_EACH_KIND = {
    "the sign in",
    "invoices in every state",
    "a summary with a wrong email",
    "a receipt",
    "payments received",
    "a file with doubts to judge",
    "a month with all to do",
    "an invoice to type",
}


@pytest.fixture(params=["of each kind", pytest.param("the others", marks=pytest.mark.proof)])
def part(request: pytest.FixtureRequest, pages: list[Seen]) -> list[Seen]:
    """A page of each kind; in `make proof`, every other page in every state."""
    assert {seen.state for seen in pages} >= OF_EACH_KIND
    is_of_each = request.param == "of each kind"
    return [seen for seen in pages if (seen.state in OF_EACH_KIND) is is_of_each]


@pytest.fixture(scope="session")
def _surveys() -> dict[int, Survey]:
    return {}


@pytest.fixture
def survey(_surveys: dict[int, Survey], show: Callable[[Seen], Page], part: list[Seen]) -> Survey:
    if len(part) not in _surveys:
        _surveys[len(part)] = made = Survey()
        show(part[0]).add_init_script(AXE_SCRIPT)  # half of what it costs to send it to each
        for seen in part:
            made.walk(show(seen), seen.state)
    return _surveys[len(part)]


@pytest.mark.slow
def test_axe_finds_nothing_on_any_page_in_any_state(survey: Survey) -> None:
    assert not report(survey.axe), report(survey.axe)


def test_nothing_is_lost_on_a_narrow_screen_nor_when_enlarged_twice(survey: Survey) -> None:
    assert not report(survey.lost), report(survey.lost)


def test_no_number_nor_common_word_nor_address_is_broken_amiss_on_the_narrowest_screen(
    survey: Survey, pages: list[Seen]
) -> None:
    ours = {seen.state for seen in pages if seen.url.startswith(PUBLIC_URL)}
    broken = {state: found for state, found in survey.broken.items() if state in ours}
    assert not report(broken), report(broken)


@pytest.mark.slow
def test_without_javascript_nothing_is_lost_on_the_narrowest_screen(
    browser: Browser, part: list[Seen]
) -> None:
    with showing(browser, java_script_enabled=False) as show:
        lost = {seen.state: show(seen).evaluate(LOST) for seen in part}
    assert not report(lost), report(lost)


def test_paper_bears_the_town_and_the_family_and_nothing_to_press(survey: Survey) -> None:
    assert not report(survey.printed), report(survey.printed)


def test_what_has_the_focus_is_outlined_by_day_and_by_night(
    survey: Survey, part: list[Seen]
) -> None:
    assert survey.focused > 20 * len(part)
    assert not report(survey.faint), report(survey.faint)


def test_nothing_moves_for_those_who_ask_for_no_motion(survey: Survey) -> None:
    assert not report(survey.moving), report(survey.moving)


def test_the_survey_itself_sees_faults(show: Callable[[Seen], Page], pages: list[Seen]) -> None:
    """The counter-test: the same walk over a page that we spoil."""
    page = show(called(pages, "the sign in"))
    page.evaluate("""() => {
      document.documentElement.lang = "";
      document.querySelector(".lead").style.color = "#666";
      document.querySelector("label").remove();
      document.querySelector("h1").style.width = "2em";
      document.querySelector("h1").style.overflowWrap = "anywhere";
      const button = document.querySelector("main button:not([type])");
      button.style.setProperty("outline", "0", "important");
      button.style.setProperty("transition", "color 1s", "important");
      button.style.width = "700px";
      button.style.setProperty("display", "block", "important");
    }""")
    made = Survey()
    page.evaluate(AXE_SCRIPT)
    made.walk(page, "spoiled")
    rules = {line.partition(":")[0] for found in made.axe.values() for line in found}
    assert {"html-has-lang", "color-contrast-enhanced", "label-title-only"} <= rules
    seen = (made.lost, made.broken, made.faint, made.moving, made.printed)
    assert all(any(found.values()) for found in seen)


def hexadecimal(colour: str) -> str:
    red, green, blue, *rest = re.findall(r"[\d.]+", colour)
    assert rest in ([], ["1"]), colour
    return "#" + "".join(f"{int(part):02x}" for part in (red, green, blue))


def faint(spot: dict) -> bool:
    """Tell whether one would not see that this has the focus."""
    if not spot["focused"] or spot["style"] != "solid" or spot["width"] < 2:
        return True
    return contrast(hexadecimal(spot["colour"]), hexadecimal(spot["ground"])) < 3


def style(node: Locator, name: str, part: str = "") -> str:
    script = "(node, [name, part]) => getComputedStyle(node, part || null)[name]"
    return str(node.evaluate(script, [name, part]))


def test_in_the_readers_own_colours_states_keep_their_word_and_their_icon(
    show: Callable[[Seen], Page], pages: list[Seen]
) -> None:
    page = show(called(pages, "invoices in every state"))
    page.emulate_media(forced_colors="active")
    tags = page.locator(".tag")
    assert tags.count() >= 6
    for tag in tags.all():
        assert tag.inner_text().strip()
        assert re.search(r'"\S+"', style(tag, "content", "::before"))
        assert style(tag, "borderTopStyle") == "solid"
    links = page.locator("body > header nav a").all()
    edges = {link.get_attribute("aria-current"): style(link, "borderBottomColor") for link in links}
    assert edges["page"] != edges[None]
    assert style(page.locator("[type=checkbox]").first, "appearance") == "auto"
    chosen = page.locator(".invoices li", has=page.locator(":checked")).first
    assert style(chosen, "outlineStyle") == "solid"
    for name in (".bar button", ".toolbar .button"):
        assert style(page.locator(name), "borderTopStyle") == "solid"


def test_paper_is_white_even_by_night(show: Callable[[Seen], Page], pages: list[Seen]) -> None:
    page = show(called(pages, "a receipt"))
    page.emulate_media(color_scheme="dark", media="print")
    assert style(page.locator("body"), "backgroundColor") == "rgb(255, 255, 255)"
    assert style(page.locator("h1"), "color") == "rgb(27, 27, 27)"
    expect(page.locator("body > header")).to_be_hidden()


def test_the_error_summary_has_the_focus_and_leads_to_its_field(
    show: Callable[[Seen], Page], pages: list[Seen]
) -> None:
    page = show(called(pages, "a sign in left empty"))
    expect(page.locator("#erreurs")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[name=code]")).to_be_focused()


@pytest.mark.slow
def test_a_family_pays_with_the_keyboard_alone_and_sees_where_it_is(
    visitor: Visitor, household: Callable[[str], Household], town: Demo
) -> None:
    family, page, hands = household("KEYBOARD"), visitor.page, Keyboard(visitor)
    page.goto(f"{town.url}/connexion")
    hands.press(page.locator("a.skip"))
    hands.fill(page.get_by_label("Code famille"), family.code)
    hands.fill(page.get_by_label("Mot de passe"), family.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/factures**")
    hands.press(page.locator("a.skip"))
    hands.press(page.get_by_role("button", name="Tout sélectionner"), "Space")
    expect(page.get_by_role("button", name="Tout désélectionner")).to_be_focused()
    hands.press(page.locator(".bar button"))
    page.wait_for_url("**/recapitulatif?**")
    hands.press(page.get_by_role("button", name=sentences.PAY_ONLINE))
    page.wait_for_url(f"{town.bank_url}/**")
    hands.press(page.locator("a.skip"))
    hands.press(page.get_by_role("button", name="4970100000000000"))
    hands.press(page.get_by_role("button", name="Valider", exact=True))
    assert visitor.title() == sentences.PAID
    hands.press(page.get_by_role("link", name=re.compile("Voir et imprimer le reçu")))
    expect(page.locator("article")).to_contain_text("Acquitté.")
