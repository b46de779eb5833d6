"""Where the search box of the town hall's area leads: to the page of the one thing that it names,
else to a list of what may be meant."""

import re
from typing import Any

from flask import url_for
from peewee import Expression

from kiosque import payments
from kiosque.db.models import Attempt, Invoice, Settlement
from kiosque.db.states import CREDIT
from kiosque.families import records
from kiosque.language.parsing import parse_hundredths
from kiosque.payments.receipts import receipts_named
from kiosque.staff import events
from kiosque.staff.events import Action
from kiosque.web.office import lists
from kiosque.web.office.access import actor, own_agent
from kiosque.web.office.filters import begins, our_reference

#: What pages write before the name of a thing: « Facture 2026-10-0399 », « Encaissement n° 4088 ».
_BEFORE = re.compile("(?:(?:famille|facture|avoir|reçu|encaissement) )?(n°)? ?", re.IGNORECASE)


def place_of(typed: str, *, meets_families: bool) -> str:
    """Return the address of what is looked for. Look for families only if `meets_families`."""
    asked, is_number = _name_in(typed)
    if meets_families and (family := records.named(asked)):
        return url_for("office.family", code=family.code)
    place = _of_money(asked, is_number=is_number) if asked else None
    if place or not meets_families:
        return place or url_for("office.invoices", numero=asked or None)
    return (_of_name(asked) if asked else None) or url_for("office.families", q=asked or None)


def _name_in(typed: str) -> tuple[str, bool]:
    """Return a name without the words that pages write before it, and whether these words mean that
    it is a payment's number."""
    before = _BEFORE.match(typed)
    rest = typed[before.end() :] if before else typed
    return (rest, bool(before and before[1])) if rest else (typed, False)


def _of_money(asked: str, *, is_number: bool) -> str | None:
    """Return the page of an invoice or payment, or the list of those that may be meant."""
    return (
        _record(asked)
        or (_of_number(asked) if is_number else None)
        or _of_amount(asked)
        or _beginning(asked)
        or _of_number(asked)
    )


def _of_name(asked: str) -> str | None:
    """Return the page of the one family that these words find, and note the search, as the list
    does."""
    found = list(records.matching(asked).limit(2))
    if len(found) != 1:
        return None
    events.note(Action.FAMILIES_SEARCHED, actor(), asked)
    return url_for("office.family", code=found[0].code)


def _record(asked: str) -> str | None:
    """Return the page of the invoice or payment of this name, of ours or of the bank's."""
    if _read(Invoice).where(Invoice.number == asked).exists():
        return url_for("office.invoice", number=asked)
    receipt = receipts_named("".join(asked.split())).first()
    if receipt and _read(Settlement).where(Settlement.id == receipt.settlement_id).exists():
        return url_for("office.settlement", name=receipt.settlement_id)
    attempt = _read(Attempt).where(Attempt.reference == our_reference(asked)).first()
    of_it = Settlement.attempt == attempt if attempt else None
    for which in filter(None, (of_it, Settlement.transaction_id == payments.bank_name(asked))):
        if found := _read(Settlement).where(which).first():
            return url_for("office.settlement", name=found.id)
    return url_for("office.invoice", number=payments.numbers_of(attempt)[0]) if attempt else None


def _of_number(asked: str) -> str | None:
    """Return the page of the payment of this id, its only name if it has no receipt."""
    number = int(asked) if re.fullmatch("[0-9]{1,18}", asked, re.ASCII) else 0
    is_there = _read(Settlement).where(Settlement.id == number, Settlement.mode != CREDIT).exists()
    return url_for("office.settlement", name=number) if is_there else None


def _read(model: Any) -> Any:
    """Select what the agent may read of invoices, of payments or of attempts."""
    return lists.narrow(model.select(), own_agent().own(model.regie))


def _of_amount(asked: str) -> str | None:
    """Return the page of the one invoice or payment of this amount, or the list of them, empty for
    what can only be an amount."""
    try:
        cents = parse_hundredths(asked)
    except ValueError:
        return None
    return (
        _few(Invoice, Invoice.total_cents == cents, "invoice", asked)
        or _few(Settlement, Settlement.amount_cents == cents, "settlement", asked)
        or (url_for("office.invoices", montant=asked) if "," in asked else None)
    )


def _few(model: Any, which: Expression, page: str, asked: str) -> str | None:
    found = list(_read(model).where(which).limit(2))
    if len(found) == 1:
        name = {"number": found[0].number} if page == "invoice" else {"name": found[0].id}
        return url_for(f"office.{page}", **name)
    return url_for(f"office.{page}s", montant=asked) if found else None


def _beginning(asked: str) -> str | None:
    """Return the list of invoices or payments whose name begins with what was typed."""
    if _read(Invoice).where(begins(Invoice.number, asked)).exists():
        return url_for("office.invoices", numero=asked)
    name = payments.bank_name(asked)
    if _read(Settlement).where(begins(Settlement.transaction_id, name)).exists():
        return url_for("office.settlements", reference=asked)
    return None
