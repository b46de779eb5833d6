"""Load a statement that was read, for the two pages where an agent gives one."""

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from kiosque.language.formats import counted
from kiosque.payments import Refused
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.staff.roles import Role
from kiosque.statements import receiving
from kiosque.statements.accounts import AccountHolder, WhichRegie
from kiosque.statements.records import ParsedFile, UnreadableFile
from kiosque.web import current
from kiosque.web.office.access import actor, author
from kiosque.web.office.regies import own_names

#: Faults of a file that are shown.
_SHOWN = 20


def load(file: ParsedFile, name: str, content: bytes, regie: str | None) -> Response:
    """Load a file that was read, and lead to its account. Raises Refused."""
    regies, own = AccountHolder.all_of(current.settings()), [*own_names(Role.REGISSEUR)]
    holders = {key: regies[key] for key in own}
    by = author()
    found = receiving.receive(file, name, content, holders, by, regie=regie)
    events.note(Action.STATEMENT_LOADED, actor(), name)
    flash(_said(found))
    of = found.loaded.regies or own
    return redirect(url_for("office.bank", regie=of[0] or None))


def _said(found: receiving.Received) -> str:
    loaded = found.loaded
    if loaded.is_known:
        return "Ce fichier est déjà chargé\u00a0: rien ne change."
    if loaded.kind in ("jrb", "jo", "jt"):
        told = f"{counted(loaded.operations, 'opération')} de plus"
    else:
        told = f"{counted(loaded.lines, 'mouvement')} de plus"
    matched = sum(found.matched.values())
    return f"{told}. {counted(matched, 'mouvement expliqué')}, sans aucun doute."


def why_not(refusal: UnreadableFile | Refused) -> list[str]:
    """Say in French why a file was not loaded, and what to do."""
    if isinstance(refusal, UnreadableFile):
        more = ["Choisissez ci-dessous ce que comptent les montants."] if refusal.wants_unit else []
        return [*more, *refusal.faults[:_SHOWN]]
    more = (
        ["Choisissez-la ci-dessous, puis recommencez."] if isinstance(refusal, WhichRegie) else []
    )
    return [*refusal.reasons, *more]
