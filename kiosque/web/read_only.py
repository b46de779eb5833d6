"""A page's words and layout, without anything that acts.

Keep only the elements and attributes listed here: no form, field or script, even if the page's
template changes. A button becomes its words; a link leads where the caller says, or nowhere.
"""

from collections.abc import Callable, Mapping
from html.parser import HTMLParser

from markupsafe import Markup, escape

_KEPT = frozenset({
    "article", "br", "caption", "data", "dd", "details", "div", "dl", "dt", "em", "h1", "h2", "h3",
    "li", "ol", "p", "section", "span", "strong", "summary", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr", "ul", "wbr",
})  # fmt: skip
_ATTRIBUTES = frozenset({"aria-current", "class", "dir", "lang", "open", "scope", "value"})
#: Elements that become others, with a class unless they have one.
_BECOMES: Mapping[str, tuple[str, str]] = {
    "button": ("span", "button"),
    "label": ("p", "line"),
    "nav": ("div", ""),
}
#: Elements that are left out with their content.
_SILENT = frozenset({"script", "select", "style", "template", "textarea"})
_VOID = frozenset({"br", "img", "input", "link", "meta", "wbr"})


def said_by(page: str, leads_to: Callable[[str], str]) -> Markup:
    """Return the main part of a page, made read-only. `leads_to` maps the address of a link to the
    one to put instead, "" for none."""
    reader = _Reader(leads_to)
    reader.feed(page)
    reader.close()
    return Markup("".join(reader.said))  # noqa: S704  # what our pages wrote, escaped by them


class _Reader(HTMLParser):
    def __init__(self, leads_to: Callable[[str], str]) -> None:
        super().__init__(convert_charrefs=False)
        self.said: list[str] = []
        self._leads_to = leads_to
        #: The open elements: tag, its closing text here, and whether its content is left out.
        self._open: list[tuple[str, str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        begins, ends = self._passes(tag, given)
        if tag in _VOID:
            self._say(begins)
            return
        self._open.append((tag, ends, tag in _SILENT or "hidden" in given))
        self._say(begins)

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            self._say(self._open[-1][1])
            name, _ends, _is_silent = self._open.pop()
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        self._say(data)

    def handle_entityref(self, name: str) -> None:
        self._say(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._say(f"&#{name};")

    def _say(self, text: str) -> None:
        """Keep a text that is in the main part and not to be left out."""
        is_main = any(name == "main" for name, *_ in self._open)
        if is_main and not any(is_silent for *_, is_silent in self._open):
            self.said.append(text)

    def _passes(self, tag: str, given: Mapping[str, str]) -> tuple[str, str]:
        """Return the opening and closing text of an element here; empty for one that is left
        out."""
        attributes = {name: value for name, value in given.items() if name in _ATTRIBUTES}
        name, style = _BECOMES.get(tag, (tag, ""))
        if tag == "a":
            address = self._leads_to(given.get("href", ""))
            name = "a" if address else "span"
            attributes |= {"href": address} if address else {}
        elif tag not in _KEPT and tag not in _BECOMES:
            return "", ""
        if style:
            attributes = {"class": style} | attributes
        written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
        return f"<{name}{written}>", f"</{name}>"
