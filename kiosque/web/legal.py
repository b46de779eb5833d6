"""The legal pages, and the one that says why it is safe to pay.

Their default texts are filled from the settings; a town may write its own, in Markdown:
KIOSQUE_DATA/texts/NAME.md, and NAME.en.md for readers of another language. It is read at start; one
that cannot serve refuses to start, since the law wants these pages. HTML in it is shown as it is
written, never obeyed, and images are not loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gateways.base import ConfigError, Gateway
from kiosque.language import catalogue, templates
from kiosque.language.catalogue import N_
from kiosque.language.catalogue import gettext as _
from kiosque.settings import Settings

if TYPE_CHECKING:
    from jinja2 import Environment
    from markdown_it import MarkdownIt

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
    """The legal pages of a site: its settings, the town's own texts as HTML by file name, and
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
        return own or _markdown().render(self.default(name))

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
    """Return the labels of the banks in use that are given the payer's address, with commas."""
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
    return reader.enable("table").disable("image")


def load(folder: Path) -> dict[str, str]:
    """Read the town's own texts as HTML, by file name without `.md`. Raises ConfigError naming
    every fault of every file, in French."""
    found, faults = {}, []
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        if path.name.startswith(".") or path.name.endswith("~"):
            continue  # an editor's
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
    """Return one file as HTML. Raises ValueError saying in French why it cannot serve."""
    name, _dot, suffix = path.name.partition(".")
    suffixes = ("md", *(f"{code}.md" for code in catalogue.languages() if code != catalogue.SOURCE))
    if name not in TITLES or suffix not in suffixes:
        raise ValueError(f"nom inconnu ; attendu {', '.join(f'{known}.md' for known in TITLES)}")
    try:
        content = path.read_bytes()[: MAX_BYTES + 1]
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("le texte n’est pas en UTF-8") from None
    except OSError:
        raise ValueError("fichier illisible") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"texte trop long ({MAX_BYTES // 1000} ko au plus)")
    levels = [token.tag for token in _markdown().parse(text) if token.type == "heading_open"]
    if not text.lstrip().startswith("# ") or levels.count("h1") != 1:
        raise ValueError("attendu un titre « # ... » en première ligne, et un seul")
    return str(_markdown().render(text.replace("\0", "")))
