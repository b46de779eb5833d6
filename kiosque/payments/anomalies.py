"""The régisseur's list: what a human must look at, each thing once."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from peewee import JOIN, Expression

from gateways.base import Report
from kiosque.db import require_write, write
from kiosque.db.models import Anomaly, Attempt, AttemptItem, Family, Invoice, Receipt, Settlement
from kiosque.db.states import AnomalyKind, AttemptState, strongest_within
from kiosque.language import catalogue, clock
from kiosque.language.formats import format_euros
from kiosque.outbox import queue
from kiosque.payments.refusals import Refused, require_author_and_reason

#: In characters. A detail that does not fit becomes an entry of its own.
LONGEST_DETAIL = 1000
#: Kinds of the entries about an odd transaction, while its money is there or once it has left.
_ODD = (
    AnomalyKind.MISMATCH,
    AnomalyKind.UNKNOWN_ORDER,
    AnomalyKind.REVERSED,
    AnomalyKind.REFUNDED,
)
#: The author of the resolution of an anomaly that was resolved automatically.
OURSELVES = "Kiosque Famille"


class Concerned(NamedTuple):
    """The family of an anomaly, by its code, "" for none, and the numbers of its invoices."""

    family: str
    numbers: list[str]


def flag_anomaly(
    key: str,
    kind: AnomalyKind,
    cents: int,
    detail: str,
    *,
    regie: str | None = None,
    gateway: str = "",
    transaction_id: str = "",
    **about: Attempt | Settlement | Invoice | None,
) -> None:
    """Put something on the list and tell the régisseur by mail, unless `key` was there before.

    `regie` is the key of the *régie* whose list it is; by default, that of what it is about.
    `transaction_id` is the bank's name of the transaction, if there is one.
    Belongs inside `write()`.
    """
    require_write()
    if Anomaly.select().where(Anomaly.key == key).exists():
        return
    if regie is None:
        regie = next(each.regie for each in about.values() if each)
    anomaly = Anomaly.create(
        key=key,
        kind=kind,
        noted_at=clock.now(),
        amount_cents=cents,
        detail=detail,
        regie=regie,
        gateway=gateway,
        transaction_id=transaction_id,
        **about,
    )
    queue.add(f"anomaly:{anomaly.id}", "anomaly", anomaly.id, queue.regisseur_of(regie))


def flag_transaction(
    key: str,
    report: Report,
    detail: str,
    more: str,
    *,
    gateway: str,
    regie: str | None = None,
    attempt: Attempt | None = None,
) -> None:
    """Tell the régisseur what is odd in one bank transaction: by a new entry that says `detail`, or
    by adding `more` to the entry that is open about this transaction. Say nothing twice. An order
    that is not ours has no `attempt`: `regie` says whose list it is.
    """
    if Anomaly.select().where(Anomaly.key == key).exists():
        return
    outcome = AttemptState(report.outcome.value)
    in_euros = report.currency == "EUR"
    words = f"{more} ({_sum_of(report)})"
    same = _about(gateway, report.transaction_id, attempt)
    if report.transaction_id and _join(same, words, outcome):
        return
    flag_anomaly(
        key,
        AnomalyKind.MISMATCH if attempt else AnomalyKind.UNKNOWN_ORDER,
        report.cents if in_euros else 0,  # only the bank's statement gives the amount in euros
        detail if in_euros else f"{detail} ({_sum_of(report)})",
        regie=regie,
        gateway=gateway,
        transaction_id=report.transaction_id,
        attempt=attempt,
    )
    Anomaly.update(outcome=outcome).where(Anomaly.key == key).execute()


def _sum_of(report: Report) -> str:
    if report.currency != "EUR":
        return f"{report.cents / 100:.2f} en devise {report.currency}".replace(".", ",")
    with catalogue.using(catalogue.SOURCE):  # for the régisseur, whose language is French
        return format_euros(report.cents)


def take_over(gateway: str, transaction_id: str, attempt: Attempt | None, detail: str) -> str:
    """Merge into `detail`, the text of an entry about money that left, the open entries about odd
    things in that transaction, and resolve these. Return the text. Leave alone an entry whose text
    does not fit."""
    odd = _about(gateway, transaction_id, attempt) & (Anomaly.kind == AnomalyKind.MISMATCH)
    for entry in Anomaly.select().where(odd, Anomaly.resolved_at.is_null()).order_by(Anomaly.id):
        joined = f"{detail} ; {entry.detail}"
        if len(joined) <= LONGEST_DETAIL:
            detail = joined
            resolve_by_itself(Anomaly.id == entry.id, "dit avec le départ de son argent")
    return detail


def _about(gateway: str, transaction_id: str, attempt: Attempt | None) -> Expression:
    """Return the condition that an entry is about something odd in this transaction."""
    return (
        Anomaly.kind.in_(_ODD)
        & (Anomaly.gateway == gateway)
        & (Anomaly.transaction_id == transaction_id)
        & (Anomaly.attempt == attempt)
    )


def _join(same: Expression, words: str, outcome: AttemptState) -> bool:
    """Add words to the last open entry, unless an entry says them already. Return False when no
    entry is open, or the last one has no room left."""
    entries = list(Anomaly.select().where(same).order_by(Anomaly.id))
    if any(words in entry.detail for entry in entries):
        return True
    last = next((entry for entry in reversed(entries) if entry.resolved_at is None), None)
    if last is None or len(joined := f"{last.detail} ; {words}") > LONGEST_DETAIL:
        return False
    said = AttemptState(last.outcome) if last.outcome else outcome
    Anomaly.update(detail=joined, outcome=strongest_within(said, outcome)).where(
        Anomaly.id == last.id
    ).execute()
    return True


def resolve_by_itself(which: Expression, resolution: str) -> int:
    """Resolve, in the site's own name, what needs no human any more. Return how many."""
    return resolve(which, OURSELVES, resolution)


def kept_key(settlement: Settlement) -> str:
    """Return the key of the anomaly about a debit, entered by hand or restored, that has no
    use."""
    return f"kept:{settlement.id}"


def flag_kept(settlement: Settlement, detail: str) -> None:
    """Tell the régisseur of a debit that has no use."""
    flag_anomaly(
        kept_key(settlement),
        AnomalyKind.MISMATCH,
        settlement.amount_cents,
        detail,
        regie=settlement.regie,
        gateway=settlement.gateway or "",
        transaction_id=settlement.transaction_id or "",
        attempt=settlement.attempt,
        settlement=settlement,
    )


def open_anomalies(regies: Collection[str] | None = None) -> list[Anomaly]:
    """Return the list of these *régies*, by their keys, or of all; oldest first, with the receipts
    of what it is about."""
    query = (
        Anomaly.select(Anomaly, Attempt, Invoice, Settlement, Receipt)
        .join(Attempt, JOIN.LEFT_OUTER)
        .switch(Anomaly)
        .join(Invoice, JOIN.LEFT_OUTER)
        .switch(Anomaly)
        .join(Settlement, JOIN.LEFT_OUTER)
        .join(Receipt, JOIN.LEFT_OUTER)
        .where(Anomaly.resolved_at.is_null())
        .order_by(Anomaly.id)
    )
    return list(query if regies is None else query.where(Anomaly.regie.in_([*regies])))


def count_open_anomalies(regies: Collection[str] | None) -> int:
    """Return how many open entries there are for these *régies*, by their keys, or in all."""
    query = Anomaly.select().where(Anomaly.resolved_at.is_null())
    number: int = (query if regies is None else query.where(Anomaly.regie.in_([*regies]))).count()
    return number


def concerned(anomaly: Anomaly) -> Concerned:
    """Return the family and the invoices that it is about."""
    return concerned_by([anomaly])[0]


def concerned_by(anomalies: Sequence[Anomaly]) -> list[Concerned]:
    """Return the family and the invoices that each is about, in two queries for all."""
    about = [each.invoice or each.attempt or each.settlement for each in anomalies]
    families = [each.family_id if each else None for each in about]
    known = Family.select().where(Family.id.in_({*families} - {None}))
    codes: dict[int | None, str] = {None: "", **{each.id: each.code for each in known}}
    attempts = {each.attempt_id for each in anomalies} - {None}
    items = AttemptItem.select(AttemptItem, Invoice).join(Invoice)
    numbers: dict[int | None, list[str]] = defaultdict(list)
    for item in items.where(AttemptItem.attempt.in_(attempts)).order_by(Invoice.number):
        numbers[item.attempt_id].append(item.invoice.number)
    return [
        Concerned(codes[family], [own.invoice.number] if own.invoice else numbers[own.attempt_id])
        for own, family in zip(anomalies, families, strict=True)
    ]


def resolve_anomaly(anomaly_id: int, author: str, resolution: str) -> None:
    """Take an entry off the list, saying what was done. Raises Refused when it is not there."""
    require_author_and_reason(author, resolution)
    with write():
        if not resolve(Anomaly.id == anomaly_id, author, resolution):
            raise Refused([f"Aucun point à traiter n°\u00a0{anomaly_id}."])


def list_again(which: Expression, *, more_than: int = 0) -> None:
    """Put back on the list what had been resolved automatically. What a human resolved stays off,
    unless it was of fewer cents than `more_than`."""
    reopen(which & ((Anomaly.resolved_by == OURSELVES) | (Anomaly.amount_cents < more_than)))


def reopen(which: Expression) -> None:
    """Put back on the list what was resolved, no matter by whom."""
    Anomaly.update(resolved_at=None, resolved_by="", resolution="").where(which).execute()


def resolve(which: Expression, author: str, resolution: str) -> int:
    """Take entries off the list, saying who did what. Return how many. Belongs inside `write()`."""
    resolved: int = (
        Anomaly.update(resolved_at=clock.now(), resolved_by=author, resolution=resolution)
        .where(which, Anomaly.resolved_at.is_null())
        .execute()
    )
    return resolved
