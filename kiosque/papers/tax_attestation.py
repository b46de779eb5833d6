"""Write the yearly attestation for the taxes."""

from collections.abc import Sequence

from kiosque.invoices.attestation import Attestation, Sum
from kiosque.language import catalogue, formats
from kiosque.language.catalogue import gettext as _
from kiosque.language.formats import format_euros
from kiosque.papers.receipts_and_invoices import (
    Column,
    Paper,
    PaperTable,
    amount_column,
    payer,
    postal_lines,
    set_paper,
)
from kiosque.papers.typesetting import CELL_WORD, breakable
from kiosque.settings import Regie, Settings


def attestation(settings: Settings, document: Attestation) -> bytes:
    """Return the PDF of what a family paid in a year to have young children minded.

    In French whatever the family's language: it is for the tax office.
    """
    with catalogue.using(catalogue.SOURCE):
        return set_paper(settings, _attestation(settings, document))


def _attestation(settings: Settings, document: Attestation) -> Paper:
    regies = settings.regies_of(each.service for each in document.counted)
    made_on = {"date": formats.long_date(document.made_on)}
    warning = _("Provisoire\u00a0: l’année n’est pas finie. Situation au %(date)s.") % made_on
    return Paper(
        title=_("Attestation fiscale %(year)d") % {"year": document.year},
        recipient=postal_lines(document.family, document.payers),
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
        "payers": payer(document.family, document.payers),
        "year": document.year,
    }


def _sums_table(document: Attestation) -> PaperTable:
    return PaperTable(
        (
            Column(_("Enfant"), share=2),
            Column(_("Naissance")),
            Column(_("Prestation"), share=3),
            amount_column(),
        ),
        [_sum_row(each) for each in document.counted],
        (_("Total payé"), format_euros(document.total_cents)),
    )


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
