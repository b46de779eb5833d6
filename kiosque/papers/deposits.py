"""The papers of a deposit: the *bordereau de versement*, and the list of who paid.

The *bordereau* is stored, since the library that makes PDFs changes. If it is not stored, it is
made from the books, identical to the byte each time. The list names families as they are known
today, since deposits are kept longer than families.
"""

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict

from kiosque.db.models import Deposit
from kiosque.deposits import Bordereau, bordereau_of, families_of, titled
from kiosque.deposits.final import Payer
from kiosque.deposits.sums import RevenueLine, Sums, sums, table, whole
from kiosque.language import catalogue
from kiosque.language.formats import format_euros, long_date
from kiosque.papers.receipts_and_invoices import Column, Paper, PaperTable
from kiosque.papers.typesetting import CELL_WORD, breakable, typeset, typeset_again
from kiosque.payments import Refused
from kiosque.settings import Settings

_MODE, _IMPUTATION = Column("Mode", share=3), Column("Imputation", share=3)
_TO_PAY = Column("À verser", figures=True)
_LOST = "Numéro perdu quand la base a été rétablie d’une sauvegarde"
_NOT_PROVED = (
    "son PDF n’est plus celui dont le journal a l’empreinte. Il n’est pas donné\u00a0: reprenez le "
    "vôtre, ou une sauvegarde."
)
_LOST_THEN = "Ce qu’il versait l’est de nouveau par les bordereaux qui le suivent."


def bordereau(made: Bordereau) -> bytes:
    """Return the PDF of a deposit."""
    with catalogue.using(catalogue.SOURCE):
        content = {"town": made.town, "numbered": True, **asdict(_paper(made))}
        return typeset_again("paper", content, made.at)


def kept(deposit: Deposit) -> bytes:
    """Return the PDF with which a deposit was made final, whatever has changed since. Raises
    Refused if its digest is not the one in the journal."""
    pdf = deposit.pdf or bordereau(bordereau_of(deposit))
    if hashlib.sha256(pdf).hexdigest() != deposit.pdf_sha256:
        raise Refused([f"Bordereau {titled(deposit)}\u00a0: {_NOT_PROVED}"])
    return pdf


def payers(settings: Settings, deposit: Deposit) -> bytes:
    """Return the PDF of who paid what a deposit covers."""
    made = bordereau_of(deposit)
    families = families_of(deposit)
    with catalogue.using(catalogue.SOURCE):
        paper = Paper(
            title=f"Liste nominative du bordereau {made.title}",
            facts=_facts(made)[:3],
            tables=[
                _payers_table(lines, title, total, families)
                for lines, title, total in (
                    (made.paid_over, "", "Total versé"),
                    (made.memo, "Pour mémoire, non versé", "Total pour mémoire"),
                )
                if lines
            ],
        )
        return typeset("paper", settings, {"numbered": True, **asdict(paper)})


def _paper(made: Bordereau) -> Paper:
    return Paper(
        title=f"Bordereau de versement {made.title}",
        facts=_facts(made),
        tables=[*_tables(made), *_memo_tables(made)],
        closing=[
            f"Arrêté à la somme de {format_euros(made.amount_cents)}, le {long_date(made.on)}.",
            *(
                ["Le total est négatif\u00a0: il a été rendu plus qu’encaissé."]
                * (made.amount_cents < 0)
            ),
            "Les trop-perçus et l’argent à classer ne sont pas versés.",
            *([f"{_LOST}\u00a0: {made.lost}. {_LOST_THEN}"] * bool(made.lost)),
        ],
        signed=[
            f"Le régisseur, {made.regisseur}\u00a0: ..............................",
            "Reçu par le comptable, le ...............\u00a0: ..............................",
        ],
    )


def _facts(made: Bordereau) -> Sequence[tuple[str, str]]:
    first, last = map(long_date, made.period)
    return (
        ("Régie", made.regie_name),
        ("Régisseur", made.regisseur),
        ("Encaissements", f"du {first} au {last}" if first != last else f"du {first}"),
        ("Écritures du journal", f"jusqu’à la n° {made.up_to}"),
        ("Établi par", made.author),
    )


def _tables(made: Bordereau) -> Sequence[PaperTable]:
    lines, total = made.paid_over, whole(made.paid_over)
    return (
        PaperTable(
            (_MODE, _IMPUTATION, *_amounts()),
            [(_cell(mode), _cell(words), *_figures(found)) for mode, words, found in table(lines)],
            ("Total", *_figures(total)),
            "Par mode et imputation",
        ),
        _short("Par mode", _MODE, lines, lambda line: line.source.words),
        _short("Par imputation", _IMPUTATION, lines, lambda line: line.imputed.words),
    )


def _memo_tables(made: Bordereau) -> Sequence[PaperTable]:
    if not made.memo:
        return ()
    rows = [
        (_cell(mode), _cell(words), format_euros(found.cents))
        for mode, words, found in table(made.memo)
    ]
    total = ("Total pour mémoire", format_euros(whole(made.memo).cents))
    amount = Column("Montant", figures=True)
    title = "Pour mémoire, non versé"
    return (PaperTable((_MODE, _IMPUTATION, amount), rows, total, title),)


def _short(
    title: str, column: Column, lines: Sequence[RevenueLine], key: Callable[[RevenueLine], Hashable]
) -> PaperTable:
    found = sorted(sums(lines, key).items(), key=lambda pair: str(pair[0]))
    rows = [(_cell(str(words)), format_euros(each.cents)) for words, each in found]
    return PaperTable((column, _TO_PAY), rows, ("Total", format_euros(whole(lines).cents)), title)


def _amounts() -> Sequence[Column]:
    heads = ("Encaissé", "Annulé", "Remboursé")
    return (*(Column(head, figures=True) for head in heads), _TO_PAY)


def _figures(found: Sums) -> tuple[str, ...]:
    return (*map(format_euros, found), format_euros(found.cents))


def _cell(words: str) -> str:
    return breakable(words, CELL_WORD)


def _payers_table(
    lines: Sequence[RevenueLine], title: str, total: str, families: Mapping[int, Payer]
) -> PaperTable:
    by_payment = sums(lines, lambda it: (it.settlement, it.paid_by, it.invoice))
    rows = [
        (paid_by, _cell(" ".join(families.get(paid, ()))), invoice, format_euros(it.cents))
        for (paid, paid_by, invoice), it in by_payment.items()
    ]
    columns = (
        Column("Reçu", share=2),
        Column("Famille", share=3),
        Column("Facture", share=2),
        Column("Montant", figures=True),
    )
    return PaperTable(columns, rows, (total, format_euros(whole(lines).cents)), title)
