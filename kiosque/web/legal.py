"""The legal pages: default texts filled from the settings, or the town's own, in Markdown.

A town's text is KIOSQUE_DATA/texts/NAME.md, and NAME.en.md for readers of another language. It
is read at start; one that cannot serve refuses to start, since the law wants these pages. HTML in
it is shown as it is written, never obeyed, and images are not loaded.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gateways import registry
from gateways.base import ConfigError
from kiosque.language import catalogue, templates
from kiosque.language.catalogue import N_
from kiosque.language.catalogue import gettext as _
from kiosque.settings import Settings

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

#: Name of the file and of the page's address: what it is.
TITLES = {
    "mentions-legales": N_("Mentions légales"),
    "confidentialite": N_("Confidentialité"),
    "accessibilite": N_("Accessibilité"),
}
ACCESSIBILITY = {
    "non": N_("Accessibilité\u00a0: non conforme"),
    "partiellement": N_("Accessibilité\u00a0: partiellement conforme"),
    "totalement": N_("Accessibilité\u00a0: totalement conforme"),
}
MAX_BYTES = 100_000

_environment = templates.environment()


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415  # for the legal pages only

    reader = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False})
    return reader.enable("table").disable("image")


def load(folder: Path) -> dict[str, str]:
    """The town's own texts as HTML, by file name without `.md`. Raises ConfigError naming every
    fault of every file, in French."""
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


def page(name: str, own: Mapping[str, str], settings: Settings) -> str:
    """A legal page as HTML: the town's text in the language in force, else in French, else
    the default one."""
    text = own.get(f"{name}.{catalogue.language()}") or own.get(name)
    return text or _markdown().render(default(name, settings))


def default(name: str, settings: Settings) -> str:
    """The default text, in Markdown."""
    return _environment.get_template(f"texts/{name}.txt").render(
        settings=settings,
        town=settings.town,
        legal=settings.legal,
        email_goes_to=_email_goes_to(settings),
        state=accessibility_words(settings),
        declared_on=settings.legal.declared_on,
    )


def _email_goes_to(settings: Settings) -> str:
    """The banks in use that are given the payer's address; nothing where none is."""
    tables = {name: settings.gateways[name] for name in settings.gateways_in_force}
    gateways = registry.configure_all(tables, environment=settings.environment).values()
    return ", ".join(each.label for each in gateways if each.limits.requires_email)


def accessibility_words(settings: Settings) -> str:
    """What the footer of every page says of the site's accessibility, as the law asks."""
    return _(ACCESSIBILITY[settings.legal.accessibility])


def missing(settings: Settings, own: Mapping[str, str]) -> list[str]:
    """The settings that the default legal pages lack to say what the law asks."""
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
    """One file as HTML. Raises ValueError saying in French why it cannot serve."""
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
