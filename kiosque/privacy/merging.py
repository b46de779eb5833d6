"""Make one family of two codes of the same household.

The invoices, payments, requests and notices of the duplicate become those of the family that is
kept. No number, amount, state or entry of the journal changes; the duplicate is archived with its
record and its password. The ids of the rows moved are kept for a time, so that it can be undone.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from peewee import Expression, ModelDelete

from kiosque.db import write
from kiosque.db.models import (
    Allocation,
    Attempt,
    AttemptItem,
    Debtor,
    Family,
    FamilyMerge,
    FamilyNotice,
    FamilyRequest,
    Invoice,
    Settlement,
)
from kiosque.db.states import UNDECIDED
from kiosque.language import clock
from kiosque.language.formats import counted
from kiosque.payments import Refused
from kiosque.payments.refusals import require_author_and_reason
from kiosque.privacy import archiving

#: How long a merge can be undone.
KEPT = timedelta(days=30)
#: Tables whose rows pass to the family that is kept, by the name that the merge notes.
_MOVED: Mapping[str, Any] = {
    "invoice": Invoice,
    "attempt": Attempt,
    "settlement": Settlement,
    "family_request": FamilyRequest,
    "family_notice": FamilyNotice,
    "debtor": Debtor,
}


def merge(kept: Family, gone: Family, author: str, reason: str) -> FamilyMerge:
    """Move the rows of the duplicate family `gone` to the family `kept`. Raises Refused, changing
    nothing, while either has something under way at a bank."""
    require_author_and_reason(author, reason)
    with write():
        _refuse(why_not_merge(kept, gone))
        moved = {name: _rows(model, gone) for name, model in _MOVED.items()}
        for model in _MOVED.values():
            model.update(family=kept).where(model.family == gone).execute()
        archiving.put_away(gone)
        made: FamilyMerge = FamilyMerge.create(
            kept=kept, gone=gone, moved=json.dumps(moved), merged_at=clock.now(),
            author=author, reason=reason,
        )  # fmt: skip
    return made


def _rows(model: Any, family: Family) -> list[int]:
    found = model.select(model.id).where(model.family == family).order_by(model.id)
    return [row.id for row in found]


def why_not_merge(kept: Family, gone: Family) -> Iterator[str]:
    """Say in French what keeps two families apart; nothing when they may be merged."""
    if kept == gone:
        yield "C’est la même famille\u00a0: indiquez le code du doublon."
    for family in map(Family.get_by_id, (kept.id, gone.id)):
        if family.forgotten_at:
            yield f"La famille {family.code} est oubliée."
        if family.archived_at:
            yield f"La famille {family.code} est archivée\u00a0: rétablissez-la d’abord."
        undecided = Attempt.state.in_(list(UNDECIDED)) | Attempt.ask_at.is_null(False)
        if count := Attempt.select().where(Attempt.family == family, undecided).count():
            payments = counted(count, "paiement")
            yield f"Famille {family.code}\u00a0: {payments} dont la banque n’a pas tout dit."


def of(family: Family) -> list[FamilyMerge]:
    """Return the merges into a family that can still be undone, the latest first."""
    recent = FamilyMerge.merged_at > clock.now() - KEPT
    found = FamilyMerge.select(FamilyMerge, Family).join(Family, on=FamilyMerge.gone)
    mine = found.where(FamilyMerge.kept == family, FamilyMerge.undone_at.is_null(), recent)
    return list(mine.order_by(FamilyMerge.id.desc()))


def undo(made: FamilyMerge) -> None:
    """Give its rows back to the duplicate, and bring it back. Raises Refused, changing nothing, if
    these rows have since been mixed with those of the kept family, or belong to a third one."""
    with write():
        made = FamilyMerge.get_by_id(made.id)
        if made.undone_at or made.merged_at <= clock.now() - KEPT:
            raise Refused(["Cette fusion ne peut plus être annulée."])
        for name, ids in json.loads(made.moved).items():
            model = _MOVED[name]
            if model.select().where(model.id.in_(ids), model.family != made.kept).exists():
                raise Refused(["Une autre fusion a suivi\u00a0: annulez-la d’abord."])
            model.update(family=made.gone).where(model.id.in_(ids)).execute()
        _refuse(_why_mixed([made.kept_id, made.gone_id]))
        archiving.take_out(made.gone)
        FamilyMerge.update(undone_at=clock.now()).where(FamilyMerge.id == made.id).execute()


def _why_mixed(families: list[int]) -> Iterator[str]:
    """Say in French that a payment of one of these families is for an invoice of another."""
    own = Invoice.family.in_(families)
    mixed = (
        AttemptItem.select().join(Attempt).switch(AttemptItem).join(Invoice)
        .where(own, Invoice.family != Attempt.family),
        Allocation.select().join(Settlement).switch(Allocation).join(Invoice)
        .where(own, Invoice.family != Settlement.family),
        Settlement.select().join(Invoice, on=Settlement.credit_note)
        .where(own, Invoice.family != Settlement.family),
        Settlement.select().join(Attempt)
        .where(Attempt.family.in_(families), Attempt.family != Settlement.family),
    )  # fmt: skip
    if any(query.exists() for query in mixed):
        yield (
            "Depuis la fusion, de l’argent de l’une a payé une facture de l’autre\u00a0: la fusion "
            "ne peut plus être annulée."
        )


def _refuse(reasons: Iterator[str]) -> None:
    if found := list(reasons):
        raise Refused(found)


def past() -> Expression:
    """Select the merges that can no longer be undone."""
    return FamilyMerge.merged_at <= clock.now() - KEPT


def purge() -> None:
    """Erase the merges that can no longer be undone; who made them is in the log of acts."""
    with write():
        ModelDelete(FamilyMerge).where(past()).execute()
