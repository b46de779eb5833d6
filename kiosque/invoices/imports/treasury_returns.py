"""Statements of the Treasury: each repeats the ones before, and names *titres* that are not ours.
Keep the payments of our invoices that are new; warn of the rest, without refusing the file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from kiosque.db.models import ImportBatch, Invoice, Settlement
from kiosque.db.states import CounterMode
from kiosque.invoices.imports.already_loaded import chunks, ids
from kiosque.invoices.imports.sheet import Sheet
from kiosque.language import clock
from kiosque.language.formats import counted, format_euros, short_date
from kiosque.payments import CounterPayment, Refused, settle_at_counter
from kiosque.payments.closed_months import is_closed
from kiosque.settings import Regie

#: Most numbers that are named in a warning.
_NAMED = 5
#: By the line of each.
Payments = Mapping[int, CounterPayment]


@dataclass(frozen=True)
class ReturnStatement:
    """The name and the day of a statement; "" for a file that only adds payments to others."""

    name: str
    day: date | None


def sifted(
    sheet: Sheet, payments: Payments, regies: Mapping[str, Regie], statement: ReturnStatement
) -> tuple[dict[int, CounterPayment], int]:
    """Return the payments of a return that are new, and how many were recorded before."""
    if later := _later(statement):
        sheet.warn(0, f"relevé plus ancien que celui du {short_date(later)} : laissé de côté")
        return {}, 0
    new, known = _told_apart(sheet, _ours(sheet, payments))
    told, new = new, _in_open_months(new)
    while new:
        try:
            settle_at_counter(list(new.values()), regies, preview=True)
        except Refused as refusal:
            lines = list(new)
            for position, reason in zip(refusal.positions, refusal.reasons, strict=True):
                sheet.warn(lines[position], f"{reason} Laissé de côté.")
                new.pop(lines[position], None)
        else:
            break
    for line, each in new.items():
        if each.settled_on != told[line].settled_on:
            day = short_date(told[line].settled_on)
            sheet.warn(line, f"{each.reason} : reçu le {day}, mois arrêté. Daté d’aujourd’hui.")
    return new, known


def _in_open_months(payments: Payments) -> dict[int, CounterPayment]:
    """Date today what the Treasury received in a month that is closed: its file comes too late."""
    regies: dict[str, str] = {}
    for part in chunks(sorted({each.invoice_number for each in payments.values()})):
        found = Invoice.select(Invoice.number, Invoice.regie).where(Invoice.number.in_(part))
        regies |= {invoice.number: invoice.regie for invoice in found}
    dated = dict(payments)
    for line, each in payments.items():
        if is_closed(regies[each.invoice_number], each.settled_on):
            dated[line] = replace(each, settled_on=clock.today())
    return dated


def _later(statement: ReturnStatement) -> date | None:
    """Return the day of a statement that was loaded and is later than this one."""
    if not statement.name or statement.day is None:
        return None
    later = ImportBatch.select().where(
        ImportBatch.statement == statement.name, ImportBatch.statement_on > statement.day
    )
    last = later.order_by(ImportBatch.statement_on.desc()).first()
    return last.statement_on if last else None


def _ours(sheet: Sheet, payments: Payments) -> dict[int, CounterPayment]:
    """Leave out what pays no invoice that is here: other services' *titres*."""
    known = ids(Invoice.number, (each.invoice_number for each in payments.values()))
    others = [each for each in payments.values() if each.invoice_number not in known]
    if others:
        numbers = list(dict.fromkeys(each.invoice_number for each in others))
        more = "..." if len(numbers) > _NAMED else ""
        cents = format_euros(sum(each.amount_cents or 0 for each in others))
        sheet.warn(
            0,
            f"{counted(len(others), 'encaissement')} de pièces inconnues ici, {cents} : laissés de "
            f"côté ({', '.join(numbers[:_NAMED])}{more})",
        )
    return {line: each for line, each in payments.items() if each.invoice_number in known}


def _told_apart(sheet: Sheet, payments: Payments) -> tuple[dict[int, CounterPayment], int]:
    """Return the new payments, and how many are known already. The reason identifies a payment,
    whatever its day."""
    recorded = _recorded(each.reason for each in payments.values())
    new: dict[int, CounterPayment] = {}
    reasons, known = set[str](), 0
    for line, each in payments.items():
        before = recorded.get(each.reason)
        if before is not None and before != each.amount_cents:
            sheet.warn(line, f"{each.reason} : enregistré pour {format_euros(before)}, à vérifier")
        elif before is not None:
            known += 1
        elif each.reason in reasons:
            sheet.warn(line, f"{each.reason} : deux fois dans le fichier, compté une fois")
        else:
            new[line] = each
            reasons.add(each.reason)
    return new, known


def _recorded(reasons: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in chunks(sorted(set(reasons))):
        for each in Settlement.select().where(
            Settlement.mode == CounterMode.TREASURY, Settlement.reason.in_(part)
        ):
            found[each.reason] = each.amount_cents
    return found
