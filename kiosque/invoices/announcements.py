"""Mails that tell families of their invoices, unless they would rather not: the *avis* of new
ones, the *rappel* before the due date, the *relance* after it.

The timer queues the notices that are due. When a mail leaves, its invoices are looked up again, so
that nobody is reminded of a paid one. Each invoice gets each kind of notice once: the database
enforces it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from itsdangerous import BadData, URLSafeSerializer
from peewee import Expression

from kiosque import payments
from kiosque.db import require_write, write
from kiosque.db.models import Family, FamilyNotice, FamilyNoticeItem, Guardian, ImportBatch, Invoice
from kiosque.db.states import NoticeKind
from kiosque.families import contacts
from kiosque.language import clock
from kiosque.outbox import queue
from kiosque.payments import Refused
from kiosque.settings import Notices, Settings

#: Nobody is written to about money before or after these hours, Paris time.
FIRST_HOUR, LAST_HOUR = 9, 19
#: A file just loaded may yet be found wrong: its invoices are not announced at once.
SECOND_THOUGHTS = timedelta(hours=1)
#: Nobody is reminded of an invoice that came so recently.
TIME_TO_READ = timedelta(days=3)
#: A notice that should have left more days ago than this is not sent: after a long outage, or when
#: a town starts with the invoices of past months, silence is better.
LATEST_DAYS = 7
#: Families written to in one run. The next run, a minute later, takes others, so that payments can
#: write in between.
FAMILIES_A_RUN = 100


@dataclass(frozen=True)
class Content:
    """The invoices that a notice tells one family of: those that it can pay now."""

    kind: NoticeKind
    family: Family
    invoices: list[Invoice]

    @property
    def total_cents(self) -> int:
        """Return what is still to pay of them all."""
        return sum(invoice.remaining_cents for invoice in self.invoices)

    @property
    def first_due_on(self) -> date:
        return min(invoice.due_on for invoice in self.invoices)

    @property
    def first_closes_on(self) -> date | None:
        """The Paris date on which the time to pay online ends for the first of them, or None when
        it ends for none."""
        return min((each.closes_on for each in self.invoices if each.closes_on), default=None)


def queue_due(settings: Settings) -> int:
    """Queue the notices whose time has come. Returns how many notices, one a family and kind.

    Safe to run at any moment and twice at once: nothing is told twice, nothing at night, nor while
    nobody knows who has paid, after a restoration.
    """
    if is_quiet() or payments.lost_times():
        return 0
    told = 0
    for kind in NoticeKind:
        if _is_sent(kind, settings.notices) and _untold(kind, settings.notices):
            with write():
                told += _queue_by_family(kind, _untold(kind, settings.notices))
    return told


def is_quiet() -> bool:
    """Tell whether it is too early or too late in the day to write about money."""
    return not FIRST_HOUR <= clock.now().astimezone(clock.PARIS).hour < LAST_HOUR


def queue_notice(kind: NoticeKind, family: Family, invoices: Sequence[Invoice]) -> None:
    """Queue one notice, a mail to each of the family's addresses, as part of the transaction
    under way."""
    require_write()
    notice = FamilyNotice.create(kind=kind, family=family, made_at=clock.now())
    for invoice in invoices:
        FamilyNoticeItem.create(notice=notice, invoice=invoice, kind=kind)
    for number, address in enumerate(contacts.addresses(family), 1):
        queue.add(f"{kind}:{notice.id}:{number}", kind, notice.id, address)


def tell_again(invoice: Invoice) -> int:
    """Queue once more the last notice that told of an invoice, else its *avis*, as part of the
    transaction under way. Return to how many addresses. Raises Refused."""
    require_write()
    family = Family.get_by_id(invoice.family_id)
    if fault := _why_not_again(family, invoice):
        raise Refused([fault])
    item = _last_told(invoice)
    if item is None:
        queue_notice(NoticeKind.NEW_INVOICES, family, [invoice])
    elif fault := queue.why_not_again(item.kind, item.notice_id):
        raise Refused([fault])
    else:
        for address in contacts.addresses(family):
            queue.add(queue.new_key(item.kind), item.kind, item.notice_id, address)
    return len(contacts.addresses(family))


def _why_not_again(family: Family, invoice: Invoice) -> str:
    if not Invoice.select().where(Invoice.id == invoice.id, payments.payable_now()).exists():
        return "Cette facture n’est pas à payer en ce moment\u00a0: rien n’est envoyé."
    if payments.lost_times():
        return "Après une restauration, nul ne sait qui a payé\u00a0: rien n’est envoyé."
    if not family.wants_mail:
        return "La famille a choisi de ne plus recevoir ces courriels\u00a0: rien n’est envoyé."
    if not contacts.addresses(family):
        return "Aucune adresse électronique n’est connue de la famille."
    return ""


def _last_told(invoice: Invoice) -> FamilyNoticeItem | None:
    """Return the last mention of an invoice in a notice that still makes sense: past the due date,
    a *rappel* does not."""
    told = FamilyNoticeItem.select().where(FamilyNoticeItem.invoice == invoice)
    if invoice.due_on < clock.today():
        told = told.where(FamilyNoticeItem.kind != NoticeKind.REMINDER)
    found: FamilyNoticeItem | None = told.order_by(FamilyNoticeItem.id.desc()).first()
    return found


def content_of(notice_id: int, recipient: str, queued_at: datetime) -> Content | None:
    """Return what a notice, queued at this instant, says to this address now, or None when it has
    nothing to say.

    It has nothing to say when every invoice is paid, cancelled or at the bank, when it is too
    late, when the family stopped the notices, or when the address is no longer the family's.
    """
    notice: FamilyNotice = (
        FamilyNotice.select(FamilyNotice, Family)
        .join(Family)
        .where(FamilyNotice.id == notice_id)
        .get()
    )
    kind, family = NoticeKind(notice.kind), notice.family
    if not family.wants_mail or not contacts.is_written_to_at(family, recipient):
        return None
    if clock.now() - queued_at > timedelta(days=LATEST_DAYS):
        return None
    invoices = (
        Invoice.select()
        .join(FamilyNoticeItem)
        .where(FamilyNoticeItem.notice == notice, payments.payable_now())
        .order_by(Invoice.due_on, Invoice.number)
    )
    if kind == NoticeKind.REMINDER:
        invoices = invoices.where(Invoice.due_on >= clock.today())
    found = list(invoices)
    return Content(kind, family, found) if found else None


def set_wanted(family: Family, *, wanted: bool) -> bool:
    """Resume the notices to a family, or stop them, including those in the outbox. Returns whether
    that changes anything."""
    with write():
        changed = (
            Family.update(wants_mail=wanted)
            .where(Family.id == family.id, Family.wants_mail != wanted)
            .execute()
        )
    return bool(changed)


def stop_token(secret_key: str, family: Family) -> str:
    """Return the token of a link that stops this family's notices without signing in.

    It allows nothing else, and never expires: a mail may be opened again years later.
    """
    return _tokens(secret_key).dumps(family.id)


def read_stop_token(secret_key: str, token: str) -> Family | None:
    """Return the family whose notices this token stops, or None when it is not one of ours."""
    try:
        number = _tokens(secret_key).loads(token)
    except BadData:
        return None
    return Family.get_or_none(Family.id == number)


def _tokens(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt="stop-notices")


def _is_sent(kind: NoticeKind, settings: Notices) -> bool:
    return {
        NoticeKind.NEW_INVOICES: settings.new_invoices,
        NoticeKind.REMINDER: settings.reminder,
        NoticeKind.RELANCE: settings.relance,
    }[kind]


def _is_time(kind: NoticeKind, settings: Notices) -> Expression:
    """Select the invoices that this kind of notice is for today."""
    now, today = clock.now(), clock.today()
    latest = timedelta(days=LATEST_DAYS)
    if kind == NoticeKind.NEW_INVOICES:
        loaded = ImportBatch.imported_at.between(now - latest, now - SECOND_THOUGHTS)
        chosen = ImportBatch.announce_at.is_null() | (ImportBatch.announce_at <= now)
        return loaded & chosen & (Invoice.due_on >= today)
    was_read = ImportBatch.imported_at <= now - TIME_TO_READ
    if kind == NoticeKind.REMINDER:
        last = today + timedelta(days=settings.reminder_days)
        return was_read & Invoice.due_on.between(today, last)
    # An invoice loaded after its due date may have been paid elsewhere, as when a town begins.
    # The instant and the date compare as texts.
    was_payable = ImportBatch.imported_at < Invoice.due_on
    last = today - timedelta(days=settings.relance_days)
    return was_read & was_payable & Invoice.due_on.between(last - latest, last)


def _untold(kind: NoticeKind, settings: Notices) -> list[Invoice]:
    """Return the invoices to tell of, family by family, for FAMILIES_A_RUN families at most."""
    told = FamilyNoticeItem.select(FamilyNoticeItem.invoice).where(FamilyNoticeItem.kind == kind)
    written_to = Guardian.select(Guardian.family).where(Guardian.email != "")
    which = (
        payments.payable_now(),
        _is_time(kind, settings),
        Invoice.id.not_in(told),
        Family.wants_mail == True,  # noqa: E712  # an SQL expression
        (Family.email != "") | Family.id.in_(written_to),
    )
    families = (
        Invoice.select(Invoice.family)
        .join(Family)
        .switch(Invoice)
        .join(ImportBatch)
        .where(*which)
        .distinct()
        .order_by(Invoice.family)
        .limit(FAMILIES_A_RUN)
    )
    return list(
        Invoice.select(Invoice, Family)
        .join(Family)
        .switch(Invoice)
        .join(ImportBatch)
        .where(*which, Invoice.family.in_([each.family_id for each in families]))
        .order_by(Invoice.family, Invoice.due_on, Invoice.number)
    )


def _queue_by_family(kind: NoticeKind, invoices: Sequence[Invoice]) -> int:
    told = 0
    for _, group in groupby(invoices, key=lambda invoice: invoice.family_id):
        own = list(group)
        queue_notice(kind, own[0].family, own)
        told += 1
    return told
