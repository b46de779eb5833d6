"""The account at the bank, in the town hall's area."""

import io

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque.db.models import LineMatch, StatementLine
from kiosque.db.statement_words import MatchKind
from kiosque.language import clock
from kiosque.staff.roles import Role
from kiosque.statements import matching, receiving
from kiosque.statements.records import Meaning, Movement
from tests.agents import enter, make_agent, send
from tests.kiosque.statements import books
from tests.pages.stage import LONG_EMAIL, LONG_WORD, Stage, scene

PAGE = "/mairie/banque"


def regisseur(stage: Stage) -> FlaskClient:
    return enter(stage.app, make_agent(Role.REGISSEUR, LONG_EMAIL))


def _known() -> list[StatementLine]:
    """The lines of the account, but for those of a file undone."""
    own = StatementLine.select().where(StatementLine.regie == "")
    return list(own.order_by(StatementLine.id))


def some_lines(stage: Stage) -> list[StatementLine]:
    """Lines without an explanation: of the amount of a payment, of that of a day less fees, of
    nothing; and another, a fee."""
    if known := _known():
        return known
    family = stage.family()
    today = clock.today()
    for cents in (4520, 4520, 30_000):
        books.paid(family, cents, today)
    said = [(4520, "VIR"), (39_000, "REMISE CB"), (1, f"VIREMENT DE {LONG_WORD}"), (-250, "TPE")]
    movements = [Movement(today, today, cents, label, "R7") for cents, label in said]
    books.load(books.statement(books.period(movements, 1000)))
    lines = _known()
    matching.classify(lines[-1].id, MatchKind.FEE, "Dominique", "abonnement au terminal")
    return lines


@scene
def a_bank_of_which_nothing_is_known(stage: Stage) -> TestResponse:
    return regisseur(stage).get(PAGE)


@scene
def an_account_with_lines_to_explain(stage: Stage) -> TestResponse:
    some_lines(stage)
    return regisseur(stage).get(PAGE)


@scene
def an_account_read_by_control(stage: Stage) -> TestResponse:
    some_lines(stage)
    return enter(stage.app, make_agent(Role.CONTROLE)).get(PAGE)


@scene
def no_file_of_the_bank_chosen(stage: Stage) -> TestResponse:
    return send(regisseur(stage), PAGE)


def _dropped(stage: Stage, content: str) -> TestResponse:
    file = (io.BytesIO(content.encode()), f"{LONG_WORD}.csv")
    return send(regisseur(stage), PAGE, file=file)  # type: ignore[arg-type]


@scene
def a_statement_whose_columns_are_not_known(stage: Stage) -> TestResponse:
    return _dropped(stage, f"Jour;{LONG_WORD};Euros\n04/11/2026;VIR;45,20\n")


@scene
def a_statement_that_is_understood_and_not_yet_loaded(stage: Stage) -> TestResponse:
    line = f"04/11/2026;{LONG_WORD};45,20;{LONG_WORD};1000,00"
    return _dropped(stage, f"Date;Libellé;Montant;Référence;Solde\n{line}\n")


@scene
def a_statement_that_contradicts_its_columns(stage: Stage) -> TestResponse:
    return _dropped(stage, f"Date;Libellé;Montant\nhier;{LONG_WORD};1.234\n")


@scene
def columns_that_say_no_amount(stage: Stage) -> TestResponse:
    digest = _at(_dropped(stage, "Jour;Texte;Euros\n04/11/2026;VIR;45,20\n").text)
    client = regisseur(stage)
    return send(client, f"{PAGE}/colonnes/{digest}", header="Jour", booked_on="Jour")


def _at(page: str) -> str:
    """The digest that the page of a table leads to."""
    return page.partition("/banque/colonnes/")[2][:64]


@scene
def columns_that_are_remembered(stage: Stage) -> TestResponse:
    receiving.remember(["Jour", LONG_WORD, "Euros"], {Meaning.LABEL: LONG_WORD}, LONG_EMAIL)
    return regisseur(stage).get(PAGE)


@scene
def filters_of_lines_that_are_none(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{PAGE}?montant=x&du=x")


@scene
def a_line_to_explain(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{PAGE}/{some_lines(stage)[0].id}")


@scene
def a_line_explained_without_a_reason(stage: Stage) -> TestResponse:
    return send(regisseur(stage), f"{PAGE}/{some_lines(stage)[2].id}", kind="fee")


@scene
def a_line_that_is_explained(stage: Stage) -> TestResponse:
    return regisseur(stage).get(f"{PAGE}/{some_lines(stage)[3].id}")


@scene
def a_match_to_undo(stage: Stage) -> TestResponse:
    some_lines(stage)
    return regisseur(stage).get(
        f"{PAGE}/rapprochements/{LineMatch.get(LineMatch.undone_at.is_null()).id}/annuler"
    )


@scene
def a_match_undone_without_a_reason(stage: Stage) -> TestResponse:
    some_lines(stage)
    return send(
        regisseur(stage),
        f"{PAGE}/rapprochements/{LineMatch.get(LineMatch.undone_at.is_null()).id}/annuler",
    )


def _file(stage: Stage) -> str:
    return f"{PAGE}/fichiers/{some_lines(stage)[0].statement.file_id}/annuler"


@scene
def a_file_of_the_bank_to_undo(stage: Stage) -> TestResponse:
    return regisseur(stage).get(_file(stage))


@scene
def a_file_of_the_bank_undone_without_a_reason(stage: Stage) -> TestResponse:
    return send(regisseur(stage), _file(stage))


@scene
def a_file_of_the_bank_that_is_undone_already(stage: Stage) -> TestResponse:
    address, client = _file(stage), enter(stage.app, make_agent(Role.REGISSEUR))
    send(client, address, reason=LONG_WORD, seen="y")
    return client.get(address)


@scene
def an_account_whose_file_was_undone(stage: Stage) -> TestResponse:
    address, client = _file(stage), enter(stage.app, make_agent(Role.REGISSEUR))
    send(client, address, reason=LONG_WORD, seen="y")
    return client.get(PAGE)


@scene
def a_line_whose_file_was_undone(stage: Stage) -> TestResponse:
    line, client = some_lines(stage)[3], enter(stage.app, make_agent(Role.REGISSEUR))
    send(client, _file(stage), reason=LONG_WORD, seen="y")
    return client.get(f"{PAGE}/{line.id}")
