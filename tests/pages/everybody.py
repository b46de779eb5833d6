"""The pages that everybody may see: the legal pages and the errors."""

from werkzeug.test import TestResponse

from tests.pages.stage import Stage, scene


@scene
def why_it_is_safe_to_pay(stage: Stage) -> TestResponse:
    return stage.stranger.get("/paiement-securise")


@scene
def the_legal_notice(stage: Stage) -> TestResponse:
    return stage.stranger.get("/mentions-legales")


@scene
def the_accessibility_statement(stage: Stage) -> TestResponse:
    return stage.stranger.get("/accessibilite")


@scene
def how_a_payment_is_safe(stage: Stage) -> TestResponse:
    return stage.stranger.get("/paiement-securise")


@scene
def the_privacy_notice(stage: Stage) -> TestResponse:
    return stage.stranger.get("/confidentialite")


@scene
def the_privacy_notice_read_by_a_family(stage: Stage) -> TestResponse:
    return stage.enter(stage.family()).get("/confidentialite")


@scene
def a_form_left_open_too_long(stage: Stage) -> TestResponse:
    return stage.stranger.post("/connexion", data={})


@scene
def an_unknown_address(stage: Stage) -> TestResponse:
    return stage.stranger.get("/nulle-part")


@scene
def somebody_elses_invoice(stage: Stage) -> TestResponse:
    return stage.enter(stage.family()).get("/factures/2026-10-0001")


@scene
def a_verb_that_is_not_understood(stage: Stage) -> TestResponse:
    return stage.stranger.delete("/connexion")


def error(status: int) -> None:
    """Put on the list the page of an error."""

    def play(stage: Stage) -> TestResponse:
        return stage.broken(status)

    play.__name__ = f"error_{status}"
    scene(play)


for number in (400, 403, 413, 429, 500, 503):
    error(number)
