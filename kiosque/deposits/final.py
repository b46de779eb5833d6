"""Make a deposit final: number it, freeze it, book it, for good. Later, note its
acknowledgement."""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, NamedTuple

from peewee import fn

from kiosque.db import require_write, write
from kiosque.db.models import (
    Deposit,
    DepositAnswer,
    DepositLine,
    Family,
    Revenue,
    Settlement,
)
from kiosque.db.states import AllocationKind
from kiosque.deposits.content import Bordereau
from kiosque.deposits.drafts import DepositDraft, draft
from kiosque.deposits.lost_numbers import lost, require_said
from kiosque.deposits.sums import Source, sums
from kiosque.deposits.titles import title_of
from kiosque.language import clock, formats
from kiosque.payments import journal
from kiosque.payments.journal import About
from kiosque.payments.refusals import CHANGED, Refused, why_no_author
from kiosque.settings import Settings

#: Lines written to the database at a time.
_TOGETHER = 200
#: Most characters of the *comptable*'s reference of a deposit.
LONGEST_REFERENCE = 60
_TITLE = re.compile(r"([0-9]{4})-([0-9]{1,9})(?:-([a-z0-9]{1,20}))?", re.ASCII | re.IGNORECASE)


class DepositMove(NamedTuple):
    """An entry to write; accounts are without their *régie*."""

    words: str
    debit: str
    credit: str
    cents: int


def finalize(
    settings: Settings,
    regie: str,
    up_to: int,
    author: str,
    agreed: str,
    render: Callable[[Bordereau], bytes],
) -> Deposit:
    """Make final the draft whose fingerprint was `agreed`, and no other. Render its paper first: it
    is stored, with its digest in the books. Raises Refused, also for the second of two simultaneous
    requests."""
    if fault := why_no_author(author):
        raise Refused([fault])
    while True:
        found = draft(regie, up_to)
        _require(found, agreed)
        at = clock.now()
        number = _next_number(regie, clock.paris_date(at).year)
        made = Bordereau.of(settings, found, number, at, author.strip())
        pdf = render(made)
        with write():
            _require(draft(regie, up_to), agreed)
            if _next_number(regie, made.on.year) == number:
                return _keep(made, pdf)


def _require(found: DepositDraft, agreed: str) -> None:
    """Raise Refused unless this draft may be made final, and is the one that was agreed to."""
    require_said(found.regie)
    if found.up_to > journal.last()[0]:
        raise Refused([f"Le journal n’a pas d’écriture {found.up_to}."])
    if not found.lines:
        raise Refused([_nothing(found)])
    if missing := found.missing:
        raise Refused([f"{name} n’a pas d’imputation." for name in missing])
    if found.fingerprint != agreed:
        raise Refused([CHANGED])


def _nothing(found: DepositDraft) -> str:
    done = next(iter(latest(found.regie)), None)
    if done is None:
        return "Rien n’est à verser."
    last = f"le dernier bordereau, {titled(done)}, a été rendu définitif par {done.author}"
    return f"Rien n’est à verser\u00a0: {last}."


def _next_number(regie: str, year: int) -> int:
    mine = Deposit.regie == regie, Deposit.year == year
    given = Deposit.select(fn.MAX(Deposit.number)).where(*mine).scalar() or 0
    return max([given, *(each.last or 0 for each in lost(regie) if each.year == year)]) + 1


def _keep(made: Bordereau, pdf: bytes) -> Deposit:
    require_write()
    sha256 = hashlib.sha256(pdf).hexdigest()
    deposit = Deposit.create(
        regie=made.regie,
        year=made.on.year,
        number=made.number,
        up_to=made.up_to,
        amount_cents=made.amount_cents,
        made_at=made.at,
        author=made.author,
        pdf_sha256=sha256,
        content=made.written,
        pdf=pdf,
    )
    for first in range(0, len(made.lines), _TOGETHER):
        some = made.lines[first : first + _TOGETHER]
        rows = [(deposit.id, it.revenue, it.article, it.fonction, it.antenne) for it in some]
        DepositLine.insert_many(rows, _COLUMNS).execute()
    _book(made, deposit.id, sha256)
    return deposit


_SHORT = (
    Deposit.id, Deposit.regie, Deposit.year, Deposit.number, Deposit.up_to, Deposit.amount_cents,
    Deposit.made_at, Deposit.author, Deposit.pdf_sha256,
)  # fmt: skip
_COLUMNS = (
    DepositLine.deposit,
    DepositLine.revenue,
    DepositLine.article,
    DepositLine.fonction,
    DepositLine.antenne,
)


def _book(made: Bordereau, deposit_id: int, sha256: str) -> None:
    about = About(made.regie, deposit_id=deposit_id)
    lost_words = f" ({made.lost} perdu à la restauration)" if made.lost else ""
    for move in _moves(made):
        journal.append(
            about,
            f"bordereau {made.title}{lost_words}, {move.words}, PDF {sha256}",
            debit=journal.account(move.debit, made.regie),
            credit=journal.account(move.credit, made.regie),
            cents=move.cents,
        )


def _moves(made: DepositDraft) -> Iterator[DepositMove]:
    """Give the entries that take from the accounts what a deposit covers, by source of the money:
    what was collected, then what was refunded."""
    invoices = journal.ACCOUNTS[AllocationKind.INVOICE]
    by_source = sums(made.lines, lambda line: line.source)
    for source, found in by_source.items():
        kept = found.collected + found.cancelled
        yield from _move(source, "encaissé", invoices, kept)
        yield from _move(source, "remboursé", journal.REFUNDS, found.refunded)


def _move(source: Source, what: str, account: str, cents: int) -> Iterator[DepositMove]:
    words, other = f"{source.words}, {what}", source.account
    if cents > 0:
        yield DepositMove(words, account, other, cents)
    elif cents < 0:
        yield DepositMove(words, other, account, -cents)


def titled(deposit: Deposit) -> str:
    """Write a deposit's number: `2026-003`, `2026-003-creche` for another *régie*."""
    return title_of(deposit.year, deposit.number, deposit.regie)


def parse(title: str) -> tuple[int, int]:
    """Return the year and the number that a title says. Raises Refused."""
    match = _TITLE.fullmatch(title.strip())
    if match is None:
        raise Refused([f"{title[:30]} n’est pas un numéro de bordereau. Exemple\u00a0: 2026-003."])
    return int(match[1]), int(match[2])


def find(title: str, regie: str = "") -> Deposit:
    """Return the deposit of this number (`2026-003`, `2026-3`), which may name its *régie*. Raises
    Refused."""
    match = _TITLE.fullmatch(title.strip())
    found = match and Deposit.get_or_none(
        Deposit.year == int(match[1]),
        Deposit.number == int(match[2]),
        Deposit.regie == (match[3] or regie),
    )
    if not found:
        raise Refused([f"Bordereau {title[:30]} inconnu."])
    return found


def bordereau_of(deposit: Deposit) -> Bordereau:
    """Return what a deposit says."""
    return Bordereau.read(deposit.content)


class Payer(NamedTuple):
    """A family as it is known today."""

    code: str
    name: str


def families_of(deposit: Deposit) -> dict[int, Payer]:
    """Return the family of each payment that a deposit covers, by the payment's id."""
    found: Any = (
        DepositLine.select(Settlement.id, Family.code, Family.name)
        .join(Revenue)
        .join(Settlement)
        .join(Family)
        .where(DepositLine.deposit == deposit)
    )
    return {paid: Payer(code, name) for paid, code, name in found.distinct().tuples()}


def latest(regie: str) -> list[Deposit]:
    """Return the deposits of a *régie* without what they say, the last first."""
    mine = Deposit.select(*_SHORT).where(Deposit.regie == regie)
    return list(mine.order_by(Deposit.year.desc(), Deposit.number.desc()))


def final_covering(regie: str, up_to: int) -> Deposit | None:
    """Return the first deposit that covers a *régie*'s entries up to this one, None if there is
    none yet. Revenue that was kept back may be in a later one, or in none."""
    mine = Deposit.regie == regie, Deposit.up_to >= up_to
    found: Deposit | None = Deposit.select().where(*mine).order_by(Deposit.id).first()
    return found


def answer(deposit: Deposit, on: date, reference: str, author: str) -> DepositAnswer:
    """Note the *comptable*'s acknowledgement of a deposit: its day, and his number for it. Raises
    Refused if it is not valid, or if a different one was noted already."""
    if fault := _answer_fault(deposit, on, reference.strip()) or why_no_author(author):
        raise Refused([fault])
    with write():
        known = answer_of(deposit)
        if known and (known.answered_on, known.reference) != (on, reference.strip()):
            raise Refused([f"L’accusé de réception est déjà noté\u00a0: {known.reference}."])
        return known or DepositAnswer.create(
            deposit=deposit,
            answered_on=on,
            reference=reference.strip(),
            noted_at=clock.now(),
            author=author.strip(),
        )


def answer_of(deposit: Deposit) -> DepositAnswer | None:
    """Return the acknowledgement of a deposit, if it came."""
    found: DepositAnswer | None = DepositAnswer.get_or_none(DepositAnswer.deposit == deposit.id)
    return found


def _answer_fault(deposit: Deposit, on: date, reference: str) -> str:
    if not reference or len(reference) > LONGEST_REFERENCE or not reference.isprintable():
        return f"Le numéro donné par le comptable tient en {LONGEST_REFERENCE} lettres visibles."
    if on > clock.today():
        return f"Le {formats.short_date(on)} n’est pas encore passé."
    if on < clock.paris_date(deposit.made_at):
        return f"Le {formats.short_date(on)} est avant le bordereau."
    return ""
