"""Somebody who has no mouse."""

from playwright.sync_api import Locator

from tests.browser.conftest import Visitor


class Keyboard:
    """A person who has nothing but a keyboard, and looks where the focus is."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.page = visitor, visitor.page

    def reach(self, target: Locator, presses: int = 40) -> None:
        """Press Tab until there, seeing each stop on the way."""
        for _ in range(presses):
            self.page.keyboard.press("Tab")
            self.see()
            if target.evaluate("node => node === document.activeElement"):
                return
        raise AssertionError(f"{target} is not reached by {presses} presses of Tab")

    def see(self) -> None:
        """Where the focus is, an outline shows it, on screen and under nothing else."""
        spot = self.page.evaluate("""() => {
          const node = document.activeElement;
          const style = getComputedStyle(node), box = node.getBoundingClientRect();
          const above = document.elementFromPoint(
            box.left + Math.min(box.width / 2, 20), box.top + Math.min(box.height / 2, 10));
          return {
            what: node.outerHTML.slice(0, 100), style: style.outlineStyle,
            width: parseFloat(style.outlineWidth),
            seen: node.contains(above) || above?.contains(node),
          };
        }""")
        if not spot["what"].startswith("<body"):
            assert spot["style"] == "solid", spot
            assert spot["width"] >= 2, spot
            assert spot["seen"], spot

    def fill(self, field: Locator, text: str) -> None:
        self.reach(field)
        self.page.keyboard.type(text)

    def press(self, target: Locator, key: str = "Enter") -> None:
        self.reach(target)
        self.page.keyboard.press(key)
