"""The language of a browser: set by the switch, kept in its session and by its family.

What a browser says it prefers (`Accept-Language`) is not asked: see docs/translate.md.
"""

from urllib.parse import urlencode

from flask import Flask, g, request, session, url_for

from kiosque.db import write
from kiosque.db.models import Family
from kiosque.language import catalogue
from kiosque.language.catalogue import Language

#: Keys in the session: the language in force; whether a signed-out visitor asked for it.
_SPOKEN, _ASKED = "language", "language_asked"

#: Parameters that our pages read from a query: the language switch repeats no other.
_READ = ("next", "code", "tout", "page", "invoice", "essai")


def init_app(app: Flask) -> None:
    @app.before_request
    def speak() -> None:
        g.speaking = catalogue.speak(session.get(_SPOKEN, catalogue.SOURCE))

    @app.teardown_request
    def be_silent(_error: BaseException | None) -> None:
        if speaking := g.pop("speaking", None):
            catalogue.be_silent(speaking)


def in_force() -> Language:
    return catalogue.languages()[catalogue.language()]


def others() -> list[Language]:
    """Return the languages that the switch offers."""
    return [each for each in catalogue.languages().values() if each.code != catalogue.language()]


def set_language(code: str, family: Family | None) -> None:
    """Speak this language from the next page on, and write to the signed-in family in it."""
    session[_SPOKEN] = code
    if family is None:
        session[_ASKED] = True
        return
    with write():
        Family.update(language=code).where(Family.id == family.id).execute()


def begin_session(family: Family) -> None:
    """Empty the session of a visitor who is signing in, and keep only the language: the family's,
    or the one asked for just before."""
    asked = session.get(_SPOKEN) if _ASKED in session else None
    session.clear()
    if asked and asked != family.language:
        set_language(asked, family)
    else:
        session[_SPOKEN] = family.language


def clear_session() -> None:
    """Empty the session, except for the language of this page; do not count it as asked for by the
    next visitor."""
    spoken = session.get(_SPOKEN)
    session.clear()
    if spoken:
        session[_SPOKEN] = spoken


def lead_home() -> None:
    """Make the language switch of this page lead to the entrance: for an error, which is no page to
    come back to, or an address that holds a secret, which the switch must not repeat."""
    g.switch_leads_home = True


def this_page() -> str:
    """Return where the switch comes back to: this page, unless it is reached by a form only."""
    methods = (request.url_rule and request.url_rule.methods) or ()
    if "GET" not in methods or g.get("switch_leads_home"):
        return url_for("site.index")
    asked = request.args
    read = {name: asked.getlist(name) for name in _READ if name in asked} if asked else {}
    return f"{request.path}?{urlencode(read, doseq=True)}" if read else request.path
