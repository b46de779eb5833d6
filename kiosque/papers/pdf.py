"""Write the papers that a family keeps: receipts, invoices, the yearly attestation."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from kiosque.db.models import Family, InvoiceLine
from kiosque.db.states import InvoiceState
from kiosque.invoices.attestation import Attestation, Sum
from kiosque.language import catalogue, formats
from kiosque.language.catalogue import gettext as _
from kiosque.language.formats import format_euros, format_hundredths
from kiosque.papers import qr_code
from kiosque.papers.content import InvoiceDocument, InvoicePart, ReceiptDocument, ReceiptLine
from kiosque.papers.typesetting import CELL_WORD, breakable, postal, typeset
from kiosque.settings import Regie, Settings


@dataclass(frozen=True)
class Column:
    """A column of a table. `share` is its part of the room left; at 0 it is as wide as its widest
    cell. `figures` are aligned to the right."""

    head: str
    share: int = 0
    figures: bool = False


@dataclass(frozen=True)
class PaperTable:
    """Rows of text under their columns, and the words and amount of the total."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    total: tuple[str, str]
    title: str = ""


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
        (_("Payé par"), _payer(settlement.family) if settlement.family else ""),
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
                    _amount_column(),
                ),
                [_receipt_row(line) for line in document.lines],
                (_("Total payé"), format_euros(settlement.amount_cents)),
            )
        ],
        stamp="" if document.is_void else _("Acquitté"),
        signed=[_("Le régisseur, %(name)s") % {"name": regie.regisseur}],
    )
    return _typeset(settings, paper)


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
        recipient=_postal(family),
        warning=_invoice_warning(document),
        facts=_invoice_facts(document),
        tables=[
            PaperTable(
                (
                    Column(_("Enfant"), share=2),
                    Column(_("Prestation"), share=3),
                    Column(_("Quantité"), figures=True),
                    Column(_("Prix unitaire"), figures=True),
                    _amount_column(),
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
    return _typeset(settings, paper)


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
    if found.remaining_cents or len(document.parts) > 1:
        facts += [_part_fact(part) for part in document.parts]
    if found.remaining_cents and document.parts:
        facts.append((_("Reste à payer"), format_euros(found.remaining_cents)))
    return facts


def _part_fact(part: InvoicePart) -> tuple[str, str]:
    paid_on = formats.long_date(part.paid_on)
    return (
        _("%(amount)s payés") % {"amount": format_euros(part.cents)},
        _("le %(date)s, %(how)s") % {"date": paid_on, "how": part.how},
    )


def attestation(settings: Settings, document: Attestation) -> bytes:
    """Return the PDF of what a family paid in a year to have young children minded.

    In French whatever the family's language: it is for the tax office.
    """
    with catalogue.using(catalogue.SOURCE):
        return _typeset(settings, _attestation(settings, document))


def _attestation(settings: Settings, document: Attestation) -> Paper:
    regies = settings.regies_of(each.service for each in document.counted)
    made_on = {"date": formats.long_date(document.made_on)}
    warning = _("Provisoire\u00a0: l’année n’est pas finie. Situation au %(date)s.") % made_on
    return Paper(
        title=_("Attestation fiscale %(year)d") % {"year": document.year},
        recipient=_postal(document.family, document.payers),
        warning=warning if document.is_provisional else "",
        opening=[_attested(settings, document, regies)],
        tables=[_sums_table(document)],
        closing=[_not_counted(settings, each) for each in document.without_birth_date],
        signed=[
            _("Le %(date)s") % made_on,
            *(_("Le régisseur, %(name)s") % {"name": regie.regisseur} for regie in regies),
        ],
    )


def _attested(settings: Settings, document: Attestation, regies: Sequence[Regie]) -> str:
    return _(
        "La régie «\u00a0%(regie)s\u00a0» (%(town)s) atteste avoir reçu de\u00a0: "
        "%(payers)s, du 1er janvier au 31 décembre %(year)d, les sommes suivantes pour la "
        "garde d’enfants de moins de six ans au 1er janvier %(year)d. "
        "Les repas n’y sont pas compris."
    ) % {
        "regie": "\u00a0» et «\u00a0".join(regie.name for regie in regies),
        "town": settings.town.name,
        "payers": _payer(document.family, document.payers),
        "year": document.year,
    }


def _sums_table(document: Attestation) -> PaperTable:
    return PaperTable(
        (
            Column(_("Enfant"), share=2),
            Column(_("Naissance")),
            Column(_("Prestation"), share=3),
            _amount_column(),
        ),
        [_sum_row(each) for each in document.counted],
        (_("Total payé"), format_euros(document.total_cents)),
    )


def _typeset(settings: Settings, paper: Paper) -> bytes:
    return typeset("paper", settings, {"numbered": True, **asdict(paper)})


def _amount_column() -> Column:
    return Column(_("Montant"), figures=True)


def _payer(family: Family, names: Sequence[str] = ()) -> str:
    """Name who paid: the parents if known, else the household by its name, and its code."""
    who = ", ".join(names) or (_("Famille %(name)s") % {"name": family.name} if family.name else "")
    code = _("code famille %(code)s") % {"code": family.code}
    return f"{who}, {code}" if who else code


def _postal(family: Family, names: Sequence[str] = ()) -> list[str]:
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
    if document.invoice.state == InvoiceState.OPEN and document.invoice.is_closed:
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


def _sum_row(each: Sum) -> tuple[str, ...]:
    born = formats.short_date(each.born_on) if each.born_on else ""
    return (
        breakable(each.child, CELL_WORD),
        born,
        breakable(each.service, CELL_WORD),
        format_euros(each.cents),
    )


def _not_counted(settings: Settings, each: Sum) -> str:
    return _(
        "%(amount)s payés pour %(child)s (%(service)s) ne sont pas comptés\u00a0: sa date de "
        "naissance ne nous est pas connue. Donnez-la en écrivant à %(email)s."
    ) % {
        "amount": format_euros(each.cents),
        "child": each.child or _("un enfant non précisé"),
        "service": each.service,
        "email": settings.town.contact_email,
    }
