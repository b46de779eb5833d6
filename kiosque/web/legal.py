"""The legal pages, and the one that says why it is safe to pay.

Their default texts are filled from the settings; a town may write its own, in Markdown: in its
area, or in KIOSQUE_DATA/texts/NAME.md, and NAME.en.md for readers of another language. Files are
read at start; the site does not start with an invalid one, since the law requires these pages. HTML
in a text is escaped, and images are not loaded.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import escape

from gateways.base import ConfigError, Gateway
from kiosque.language import catalogue, templates
from kiosque.language.catalogue import N_
from kiosque.language.catalogue import gettext as _
from kiosque.settings import Settings

if TYPE_CHECKING:
    from jinja2 import Environment
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

#: Title by name of the page's address, which is also the name of the town's file.
TITLES = {
    "mentions-legales": N_("Mentions légales"),
    "confidentialite": N_("Confidentialité"),
    "accessibilite": N_("Accessibilité"),
    "paiement-securise": N_("C’est sûr"),
}
ACCESSIBILITY = {
    "non": N_("Accessibilité\u00a0: non conforme"),
    "partiellement": N_("Accessibilité\u00a0: partiellement conforme"),
    "totalement": N_("Accessibilité\u00a0: totalement conforme"),
}
MAX_BYTES = 100_000


@dataclass(frozen=True)
class LegalPages:
    """The legal pages of a site: its settings, the town's own texts in Markdown by file name, and
    the banks that are given the payer's address."""

    settings: Settings
    own_texts: Mapping[str, str]
    banks_given_email: str = ""

    def __post_init__(self) -> None:
        _templates()

    def html(self, name: str) -> str:
        """Return a page: the town's text in the language in force, else in French, else the
        default one."""
        own = self.own_texts.get(f"{name}.{catalogue.language()}") or self.own_texts.get(name)
        return html(own or self.default(name))

    def text(self, file_name: str) -> str:
        """Return the text in Markdown under the name of its file: the town's, or the default."""
        name, _dot, code = file_name.partition(".")
        with catalogue.using(code or catalogue.SOURCE):
            return self.own_texts.get(file_name) or self.default(name)

    def default(self, name: str) -> str:
        """Return the default text of a page, in Markdown."""
        return (
            _templates()
            .get_template(f"texts/{name}.txt")
            .render(
                settings=self.settings,
                town=self.settings.town,
                legal=self.settings.legal,
                banks_given_email=self.banks_given_email,
                state=self.accessibility_words(),
                declared_on=self.settings.legal.declared_on,
            )
        )

    def accessibility_words(self) -> str:
        """Return what the law wants in the footer of every page."""
        return _(ACCESSIBILITY[self.settings.legal.accessibility])


def banks_given_email(settings: Settings, gateways: Mapping[str, Gateway]) -> str:
    """Return the labels, separated by commas, of the banks in use that are given the payer's e-mail
    address."""
    in_use = dict.fromkeys(name for name in settings.gateways_in_force if name in gateways)
    return ", ".join(
        gateways[name].label for name in in_use if gateways[name].limits.requires_email
    )


@cache
def _templates() -> "Environment":
    return templates.environment()


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415  # for the legal pages only

    reader = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False})
    reader.add_render_rule("text", _words)
    return reader.enable("table").disable("image")


def _words(_renderer: object, tokens: "Sequence[Token]", index: int, *_rest: object) -> str:
    """Write words so that a narrow screen breaks an e-mail address after an @ or a dot."""
    words = str(escape(tokens[index].content))
    return re.sub(r"(?<=[@.])(?=\w)", "<wbr>", words) if "@" in words else words


def html(text: str) -> str:
    """Return a text in Markdown as HTML in which nothing acts."""
    return str(_markdown().render(text.replace("\0", "")))


def file_names() -> dict[str, str]:
    """Return the names that the texts may have, in each language, with their titles in French."""
    return {
        f"{name}{end}": title + words
        for code, language in catalogue.languages().items()
        for end, words in [
            ("", "") if code == catalogue.SOURCE else (f".{code}", f" ({language.name})")
        ]
        for name, title in TITLES.items()
    }


def fault(text: str, most_bytes: int = MAX_BYTES) -> str:
    """Return in French why a text is not valid; "" if it is."""
    if len(text.encode()) > most_bytes:
        return f"texte trop long ({most_bytes // 1000} ko au plus)"
    levels = [token.tag for token in _markdown().parse(text) if token.type == "heading_open"]
    if not text.lstrip().startswith("# ") or levels.count("h1") != 1:
        return "attendu un titre « # ... » en première ligne, et un seul"
    return ""


def load(folder: Path) -> dict[str, str]:
    """Read the town's own texts, by file name without `.md`. Raises ConfigError naming
    every fault of every file, in French."""
    found, faults = {}, []
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        if path.name.startswith(".") or path.name.endswith("~"):
            continue  # a file that an editor left
        try:
            found[path.name.removesuffix(".md")] = _read(path)
        except ValueError as error:
            faults.append(f"texts/{path.name} : {error}")
    if faults:
        raise ConfigError(faults)
    return found


def missing(settings: Settings, own: Mapping[str, str]) -> list[str]:
    """Return the settings that the default legal pages lack to say what the law asks."""
    needed: dict[str, dict[str, object]] = {
        "mentions-legales": {
            "town.address": settings.town.address,
            "town.phone": settings.town.phone,
            "town.publication_director": settings.town.publication_director,
            "town.host": settings.town.host,
        },
        "confidentialite": {"legal.dpo": settings.legal.dpo},
        "accessibilite": {"legal.declared_on": settings.legal.declared_on},
    }
    return [
        setting
        for name, values in needed.items()
        if name not in own
        for setting, value in values.items()
        if not value
    ]


def _read(path: Path) -> str:
    """Return the text of one file. Raises ValueError saying in French why it is not valid."""
    if not path.name.endswith(".md") or path.name.removesuffix(".md") not in file_names():
        raise ValueError(f"nom inconnu ; attendu {', '.join(f'{known}.md' for known in TITLES)}")
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("le texte n’est pas en UTF-8") from None
    except OSError:
        raise ValueError("fichier illisible") from None
    if found := fault(text):
        raise ValueError(found)
    return text
