"""The templates of pages, and the names and filters that they may use."""

import re
from collections.abc import Callable
from functools import lru_cache

from flask import Flask
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from kiosque.language import catalogue, templates
from kiosque.outbox import addresses
from kiosque.web import access, language
from kiosque.web.office import access as office_access
from kiosque.web.office import button_words

#: Characters that fit on the narrowest screen, with letters twice as large.
_SHORT = 14


def init_app(app: Flask) -> None:
    """Set up the templates. Call it before anything reads `app.jinja_env`, which Flask makes at the
    first access."""
    app.jinja_loader = templates.Sources()
    app.jinja_options = {
        **app.jinja_options,
        "undefined": StrictUndefined,  # a misspelt name is an error
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    pages = app.jinja_env
    pages.filters.update(
        templates.FILTERS,
        bought=templates.bought,
        french=templates.french,
        address=_address,
        masked=addresses.masked,
        mailto=_mailto,
        whole=_whole,
        numbers_whole=_numbers_whole,
        telephone=_telephone,
        on_page=button_words.on_page,
    )
    templates.translate(pages)
    pages.globals.update(
        signed_in_family=access.signed_in_family,
        signed_in_agent=office_access.agent,
        language=language.in_force,
        other_languages=language.others,
        this_page=language.this_page,
    )
    show_town(app)


def show_town(app: Flask) -> None:
    """Give pages the town's settings, as they are now."""
    settings = app.extensions["settings"]
    app.jinja_env.globals.update(
        settings=settings,
        town=settings.town,
        assets=app.extensions["assets"],
        accessibility_words=app.extensions["legal"].accessibility_words,
        fragment=_fragments(app.jinja_env),
    )


def _breakable(text: str) -> Markup:
    """Let a narrow screen break an address after an @ or a dot, not at its hyphens."""
    parts = re.split(r"(?<=[@.])", text)
    return Markup("<wbr>").join(_whole(part) if "-" in part else part for part in parts)


@lru_cache(500)  # the agent's own address is on every page
def _address(text: str) -> Markup:
    """Write an e-mail address as its owner reads it, nothing for none."""
    if not text:
        return Markup("")
    shown = addresses.shown(text)
    return Markup('<data value="{}">{}</data>').format(shown, _breakable(shown))


def _mailto(address: str) -> Markup:
    return Markup('<a href="mailto:{}">{}</a>').format(address, _breakable(address))


def _whole(text: str) -> Markup:
    """Keep a number on one line: a narrow screen would break it at its hyphens, and a narrow column
    anywhere. Let one that is too long for any screen be broken."""
    short = " short" if len(text) <= _SHORT else ""
    return Markup('<span class="whole{}">{}</span>').format(short, text)


def _numbers_whole(sentence: object) -> Markup:
    """Keep each number of a sentence on one line, and let an e-mail address break after its signs.
    Leave HTML (`Markup`) as it is."""
    return sentence if isinstance(sentence, Markup) else _whole_in(str(sentence))


@lru_cache(500)  # a list says the same of many rows
def _whole_in(text: str) -> Markup:
    return Markup(" ").join(map(_kept, text.split(" ")))


def _kept(word: str) -> str:
    if mail := re.fullmatch(r"(\W*)(\S+@\S*\w)(\W*)", word):
        before, address, after = mail.groups()
        return Markup("{}{}{}").format(before, _breakable(address), after)
    return _whole(word) if re.search(r"\d-\d", word) else word


def _telephone(text: str) -> Markup:
    """Write a telephone number as a link that calls it."""
    dialled = re.sub(r"[^+\d]", "", text)
    shown = text.replace(" ", "\u00a0")
    return Markup('<a href="tel:{}">{}</a>').format(dialled, shown)


def _fragments(pages: Environment) -> Callable[..., Markup]:
    """Return a function that renders a part of a page which depends only on the language and on a
    few values: each result is cached."""

    @lru_cache(500)
    def written(name: str, _language: str, values: tuple[tuple[str, object], ...]) -> Markup:
        return Markup(pages.get_template(name).render(**dict(values)))  # noqa: S704  # it escapes

    def fragment(name: str, **values: object) -> Markup:
        return written(name, catalogue.language(), tuple(values.items()))

    return fragment
