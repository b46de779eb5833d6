"""All that is held about a family: the rows of every table that leads to it.

The tables are found by their links, so that a new one is never left out. This module says their
names, and which of their columns a family may not read.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from peewee import (  # type: ignore[attr-defined]  # the stubs lack sort_models
    ForeignKeyField,
    ModelSelect,
    sort_models,
)

from kiosque.db import models
from kiosque.db.models import (
    Account,
    Allocation,
    Anomaly,
    Attempt,
    AttemptItem,
    BankMessage,
    BankOperation,
    BaseModel,
    CarriedAnomaly,
    Child,
    Debtor,
    DepositLine,
    Enrolment,
    Fact,
    Family,
    FamilyMerge,
    FamilyNotice,
    FamilyNoticeItem,
    FamilyRequest,
    Guardian,
    ImportChange,
    Invoice,
    InvoiceLine,
    JournalEntry,
    KeptBack,
    LineMatch,
    OutboxMail,
    PrivacyAct,
    Receipt,
    Repayment,
    ResetRequest,
    Revenue,
    SecurityEvent,
    Session,
    Settlement,
    StatementLine,
    Token,
    ToldOperation,
    Transmission,
)
from kiosque.privacy.mails import mails_of, requests_typed_by

#: The tables that hold something of a family, in the order they are shown.
TITLES: Mapping[type[BaseModel], str] = {
    Family: "La famille",
    Guardian: "Les responsables",
    Child: "Les enfants",
    Enrolment: "Leurs inscriptions",
    Account: "Le compte en ligne",
    Invoice: "Les factures et les avoirs",
    InvoiceLine: "Le détail des factures",
    Attempt: "Les paiements en ligne commencés",
    AttemptItem: "Les factures de chacun",
    Fact: "Ce qu’on en a appris",
    BankMessage: "Ce que la banque a écrit",
    Settlement: "L’argent reçu",
    Allocation: "Son emploi",
    Transmission: "Les factures transmises au Trésor public",
    Repayment: "L’argent rendu ou repris",
    Receipt: "Les reçus",
    JournalEntry: "Les écritures du journal",
    Revenue: "Les recettes, par prestation",
    KeptBack: "Les recettes gardées pour un versement suivant",
    DepositLine: "Leur versement au comptable",
    BankOperation: "Les opérations lues dans les fichiers de la banque",
    ToldOperation: "Ce qui en était connu avant qu’un autre fichier les redise",
    LineMatch: "Les lignes de relevé que ces paiements expliquent",
    StatementLine: "Ce que la banque écrit de celles qui sont de ces paiements seuls",
    Anomaly: "Ce que le régisseur a dû regarder",
    CarriedAnomaly: "Ce qui en a été reporté à la clôture d’un mois",
    Debtor: "Ses noms dans les fichiers d’autres logiciels",
    ImportChange: "Ce que des fichiers ont changé",
    FamilyMerge: "Les fusions avec un doublon",
    FamilyRequest: "Les demandes",
    FamilyNotice: "Les avis envoyés",
    FamilyNoticeItem: "Les factures de chaque avis",
    OutboxMail: "Les courriels",
    ResetRequest: "Les liens demandés",
    Token: "Les codes et liens en cours",
    Session: "Les connexions en cours",
    SecurityEvent: "Le journal de sécurité",
    PrivacyAct: "Ce qui a été fait de ces données",
}
#: The columns that are in no export, and why.
LEFT_OUT: Mapping[str, str] = {
    "id": "numéro de la base, montré pour ce que d’autres lignes citent ainsi",
    "digest": "empreinte : un secret, ou de quoi reconnaître une ligne de fichier",
    "password_hash": "secret",
    "key": "nom d’une ligne pour la machine",
    "hash": "empreinte d’une écriture du journal",
    "previous_hash": "empreinte d’une écriture du journal",
    "account": "celui de la famille",
    "family": "celle de l’export",
    "batch": "le fichier d’où vient une facture, qui est celui de toutes les familles",
    "object_id": "numéro de la base",
    "line": "numéro de la base",
    "closing": "numéro de la base",
    "statement": "numéro de la base",
    "deposit": "numéro de la base",
    "file": "le fichier de la banque, qui est celui de toutes les familles",
    "operation": "numéro de la base",
    "revenue": "numéro de la base",
    "version": "ce que couvre l’empreinte d’une écriture",
    "occurrence": "numéro d’une ligne parmi ses semblables",
    "row_id": "numéro de la base",
    "moved": "numéros de la base",
    "words": "les noms du foyer, redits pour la recherche",
    "day": "numérotation de la banque, redite par sa référence",
    "ask_at": "réglage de la minuterie",
    "unanswered": "réglage de la minuterie",
    "next_try_at": "réglage de la minuterie",
    "live": "redit l’état du paiement",
    "signing_key": "laquelle des clés de la ville a signé",
}


class PersonalRows(NamedTuple):
    """The rows of one table that are about a family, each a value by column."""

    model: type[BaseModel]
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def meta(model: type[BaseModel]) -> Any:
    """Return what Peewee knows of a table."""
    return model._meta  # noqa: SLF001  # Peewee's own


def tables(family: Family) -> Iterator[PersonalRows]:
    """Yield what is held about a family, table by table, those without a row left out."""
    queries = _queries(family)
    for model, title in TITLES.items():
        columns = [name for name in meta(model).fields if is_shown(model, name)]
        found = queries[model].order_by(meta(model).primary_key)
        rows = [[_named(row, name) for name in columns] for row in found]
        if rows:
            yield PersonalRows(model, title, columns, rows)


def is_shown(model: type[BaseModel], column: str) -> bool:
    """Tell whether a column of a table is in the export. The number of a receipt or of a journal
    entry identifies it; that of an attempt is the bank's counter."""
    if column == "id":
        return model in (Settlement, FamilyNotice)  # other tables refer to these by their ids
    return column not in LEFT_OUT and (model, column) != (Attempt, "number")


def linked() -> dict[type[BaseModel], list[ForeignKeyField]]:
    """Return the tables that lead to a family, directly or through other tables, each with its
    links."""
    found: dict[type[BaseModel], list[ForeignKeyField]] = {Family: []}
    every = [each for each in vars(models).values() if isinstance(each, type)]
    for model in sort_models([each for each in every if issubclass(each, BaseModel)]):
        if links := [field for field, to in meta(model).refs.items() if to in found]:
            found[model] = links
    return found


def _queries(family: Family) -> dict[type[BaseModel], "ModelSelect[Any]"]:
    own: dict[type[BaseModel], ModelSelect[Any]] = {}
    for model, links in linked().items():
        which = [field.in_(own[field.rel_model].select(field.rel_field)) for field in links]
        own[model] = model.select().where(reduce(or_, which) if which else Family.id == family.id)
    attempts = Attempt.select(Attempt.reference).where(Attempt.family == family)
    own[BankMessage] = BankMessage.select().where(BankMessage.reference.in_(attempts))
    own[StatementLine] = _lines_of(own[LineMatch])
    own[OutboxMail] = OutboxMail.select().where(mails_of(family))
    own[ResetRequest] = ResetRequest.select().where(requests_typed_by(family))
    return own


def _lines_of(matches: "ModelSelect[Any]") -> "ModelSelect[Any]":
    """Return the lines that these matches alone explain: a remittance is of many families."""
    mine = matches.select(LineMatch.id)
    others = LineMatch.select(LineMatch.line).where(LineMatch.id.not_in(mine))
    lines = matches.select(LineMatch.line)
    return StatementLine.select().where(
        StatementLine.id.in_(lines), StatementLine.id.not_in(others)
    )


def _named(row: BaseModel, column: str) -> str | int | bool | date | datetime | None:
    """Return a value of a row; for a link to another table, the name of that row."""
    value = getattr(row, column)
    if not isinstance(value, BaseModel):
        return value  # type: ignore[no-any-return]  # what the columns of our tables hold
    for name in ("code", "reference", "name"):
        if name in meta(type(value)).fields:
            return str(getattr(value, name))
    if isinstance(value, Invoice):
        return value.number
    return int(value.get_id())
