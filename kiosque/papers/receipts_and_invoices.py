"""Write the papers that a family keeps: receipts and invoices."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from kiosque.db.models import Family, InvoiceLine
from kiosque.db.states import InvoiceState
from kiosque.language import formats
from kiosque.language.catalogue import gettext as _
from kiosque.language.formats import format_euros, format_hundredths
from kiosque.papers import qr_code
from kiosque.papers.content import InvoiceDocument, InvoicePart, ReceiptDocument, ReceiptLine
from kiosque.papers.typesetting import CELL_WORD, breakable, postal, typeset
from kiosque.settings import Settings


@dataclass(frozen=True)
class Column:
    """A column of a table. `share` is its part of the room left; at 0 it is as wide as its widest
    cell. `figures` are aligned to the right."""

    head: str
    share: int = 0
    figures: bool = False


@dataclass(frozen=True)
class PaperTable:
    """Rows of text under their columns, and the words of the total with the amounts of the last
    columns. `running` is the sum after each row, which each page carries to the next, from `start`:
    the total is the last of them."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    total: tuple[str, ...]
    title: str = ""
    start: str = ""
    running: Sequence[str] = ()


@dataclass(frozen=True)
class Paper:
    """The words of one document, in the order in which they are read."""

    title: str
    recipient: Sequence[str] = ()
    warning: str = ""
    opening: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    tables: Sequence[PaperTable] = ()
    closing: Sequence[str] = ()
    qr_code: Mapping[str, object] | None = None
    stamp: str = ""
    signed: Sequence[str] = ()


def receipt(settings: Settings, document: ReceiptDocument) -> bytes:
    """Return the PDF of a *reçu de paiement*, «acquitté» unless the money was given back since."""
    settings = document.as_issued(settings)
    settlement, regie = document.settlement, settings.regie
    facts = (
        (_("Date"), formats.long_instant(settlement.settled_at)),
        (_("Payé par"), payer(settlement.family) if settlement.family else ""),
        (_("Encaissé par"), regie.name),
        (_("Mode"), _card(document)),
        (_("Autorisation de la banque"), settlement.authorisation),
        (_("Référence de la banque"), settlement.transaction_id or ""),
    )
    paper = Paper(
        title=_("Reçu de paiement %(number)s") % {"number": document.receipt.title},
        warning=_receipt_warning(document),
        facts=[fact for fact in facts if fact[1]],
        tables=[
            PaperTable(
                (
                    Column(_("Prestations"), share=3),
                    Column(_("Facture"), share=1),
                    amount_column(),
                ),
                [_receipt_row(line) for line in document.lines],
                (_("Total payé"), format_euros(settlement.amount_cents)),
            )
        ],
        stamp="" if document.is_void else _("Acquitté"),
        signed=[_("Le régisseur, %(name)s") % {"name": regie.regisseur}],
    )
    return set_paper(settings, paper)


def _receipt_warning(document: ReceiptDocument) -> str:
    if document.is_void:
        return _("Ce paiement a depuis été annulé ou remboursé\u00a0: ce reçu n’est plus valable.")
    if document.refunded_cents:
        amount = format_euros(document.refunded_cents)
        return _("%(amount)s de ce paiement ont été remboursés depuis.") % {"amount": amount}
    return ""


def invoice(settings: Settings, document: InvoiceDocument) -> bytes:
    """Return the PDF of an invoice, made from its lines when the town gave none."""
    found, family = document.invoice, document.invoice.family
    paper = Paper(
        title=_("Facture %(number)s") % {"number": found.number},
        recipient=postal_lines(family),
        warning=_invoice_warning(document),
        facts=_invoice_facts(document),
        tables=[
            PaperTable(
                (
                    Column(_("Enfant"), share=2),
                    Column(_("Prestation"), share=3),
                    Column(_("Quantité"), figures=True),
                    Column(_("Prix unitaire"), figures=True),
                    amount_column(),
                ),
                [_invoice_row(line) for line in document.lines],
                (_("Total"), format_euros(found.total_cents)),
            )
        ],
        closing=_how_to_pay(settings, document),
        qr_code=qr_code.sign_in(settings, family.code),
        stamp=_("Acquitté") if found.state == InvoiceState.PAID else "",
        signed=[_("Le %(date)s") % {"date": formats.long_date(document.paid_on)}]
        if document.paid_on
        else [],
    )
    return set_paper(settings, paper)


def _invoice_facts(document: InvoiceDocument) -> list[tuple[str, str]]:
    """Return the dates of an invoice, and what was paid of it where that was not all at once."""
    found = document.invoice
    facts = [
        (_("Période"), found.period),
        (_("Émise le"), formats.long_date(found.issued_on)),
    ]
    if found.state != InvoiceState.NOTHING_DUE:
        facts.append((_("À régler au plus tard le"), formats.long_date(found.due_on)))
    facts.append((_("Code famille"), found.family.code))
    left = found.remaining_cents or found.treasury_cents
    if left or len(document.parts) > 1:
        facts += [_part_fact(part) for part in document.parts]
    if left and document.parts:
        facts.append((_("Reste à payer"), format_euros(left)))
    return facts


def _part_fact(part: InvoicePart) -> tuple[str, str]:
    paid_on = formats.long_date(part.paid_on)
    return (
        _("%(amount)s payés") % {"amount": format_euros(part.cents)},
        _("le %(date)s, %(how)s") % {"date": paid_on, "how": part.how},
    )


def set_paper(settings: Settings, paper: Paper) -> bytes:
    return typeset("paper", settings, {"numbered": True, **asdict(paper)})


def amount_column() -> Column:
    return Column(_("Montant"), figures=True)


def payer(family: Family, names: Sequence[str] = ()) -> str:
    """Name who paid: the parents if known, else the household by its name, and its code."""
    who = ", ".join(names) or (_("Famille %(name)s") % {"name": family.name} if family.name else "")
    code = _("code famille %(code)s") % {"code": family.code}
    return f"{who}, {code}" if who else code


def postal_lines(family: Family, names: Sequence[str] = ()) -> list[str]:
    who = list(names) or [_("Famille %(name)s") % {"name": family.name or family.code}]
    place = f"{family.postcode} {family.city}".strip()
    return postal([*who, family.address, place])


def _card(document: ReceiptDocument) -> str:
    settlement, words = document.settlement, _("Carte bancaire en ligne")
    if document.is_direct_debit:
        return _("Prélèvement, autorisé en ligne")
    if settlement.card_brand and settlement.card_last4:
        return _("%(mode)s (%(brand)s se terminant par %(digits)s)") % {
            "mode": words,
            "brand": settlement.card_brand,
            "digits": settlement.card_last4,
        }
    return f"{words} ({settlement.card_brand})" if settlement.card_brand else words


def _receipt_row(line: ReceiptLine) -> tuple[str, ...]:
    words = formats.bought(line.period, line.children, line.services)
    words = f"{words} ({line.remark})" if line.remark else words
    return (breakable(words, CELL_WORD), line.number, format_euros(line.amount_cents))


def _invoice_row(line: InvoiceLine) -> tuple[str, ...]:
    return (
        breakable(line.child, CELL_WORD),
        breakable(f"{line.service.name} – {line.label}", CELL_WORD),
        format_hundredths(line.quantity_hundredths),
        format_euros(line.unit_price_cents),
        format_euros(line.amount_cents),
    )


def _invoice_warning(document: InvoiceDocument) -> str:
    if document.invoice.state == InvoiceState.NOTHING_DUE:
        return (
            _("Cet avoir est en votre faveur. Vous n’avez rien à payer.")
            if document.invoice.total_cents < 0
            else _("Vous n’avez rien à payer.")
        )
    if document.invoice.state == InvoiceState.CANCELLED:
        return _("Cette facture a été annulée. Vous n’avez rien à payer.")
    is_theirs = document.invoice.state == InvoiceState.TRANSMITTED
    if is_theirs or (document.invoice.state == InvoiceState.OPEN and document.invoice.is_closed):
        return _("Cette facture est transmise au Trésor public, qui vous écrira.")
    return ""


def _how_to_pay(settings: Settings, document: InvoiceDocument) -> list[str]:
    found = document.invoice
    if found.state != InvoiceState.OPEN or found.is_closed:
        return []
    words = _("Réglez en ligne, avec votre code famille %(code)s, sur %(site)s") % {
        "code": found.family.code,
        "site": settings.public_url,
    }
    if found.closes_on:
        words += _(" jusqu’au %(date)s") % {"date": formats.long_date(found.closes_on)}
    return [f"{words}."]
