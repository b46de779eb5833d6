"""The language of a browser: chosen by the switch, kept in its session and by its family.

What a browser says it prefers (`Accept-Language`) is not asked: see docs/translate.md.
"""

from functools import cache
from urllib.parse import urlencode

from flask import Flask, g, request, session, url_for

from kiosque.db import write
from kiosque.db.models import Family
from kiosque.language import catalogue

#: In the session: the language in force, and whether a signed-out visitor asked for it.
_SPOKEN, _ASKED = "language", "language_asked"

#: What our pages read of an address's query: the switch repeats nothing else.
_READ = ("next", "tout", "page", "invoice", "essai")


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(
        language=lambda: catalogue.languages()[catalogue.language()],
        other_languages=lambda: _others(catalogue.language()),
        this_page=_this_page,
    )

    @app.before_request
    def speak() -> None:
        g.speaking = catalogue.speak(session.get(_SPOKEN, catalogue.SOURCE))

    @app.teardown_request
    def be_silent(_error: BaseException | None) -> None:
        if speaking := g.pop("speaking", None):
            catalogue.be_silent(speaking)


def choose(code: str, family: Family | None) -> None:
    """Speak this language from the next page on, and write to the signed-in family in it."""
    session[_SPOKEN] = code
    if family is None:
        session[_ASKED] = True
        return
    with write():
        Family.update(language=code).where(Family.id == family.id).execute()


def sign_in(family: Family) -> None:
    """Begin a session in the family's language, or in the one asked for just before."""
    asked = session.get(_SPOKEN) if _ASKED in session else None
    session.clear()
    if asked and asked != family.language:
        choose(asked, family)
    else:
        session[_SPOKEN] = family.language


def clear_session() -> None:
    """Forget all but the language, which the next visitor may have read this page in but has
    not asked for."""
    spoken = session.get(_SPOKEN)
    session.clear()
    if spoken:
        session[_SPOKEN] = spoken


@cache
def _others(code: str) -> list[catalogue.Language]:
    return [each for each in catalogue.languages().values() if each.code != code]


def lead_home() -> None:
    """The page being made is not one to come back to: an error, or an address that holds a
    secret and must not be written in it."""
    g.switch_leads_home = True


def _this_page() -> str:
    """Where to come back to from the switch: this page, unless only a form leads to it."""
    methods = (request.url_rule and request.url_rule.methods) or ()
    if "GET" not in methods or g.get("switch_leads_home"):
        return url_for("site.index")
    asked = request.args
    read = {name: asked.getlist(name) for name in _READ if name in asked} if asked else {}
    return f"{request.path}?{urlencode(read, doseq=True)}" if read else request.path
