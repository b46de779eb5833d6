"""The language switch, the site in English, and no French left unmarked for translation."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from email import message_from_bytes, policy
from gettext import NullTranslations
from html.parser import HTMLParser
from typing import Any

import pytest
from babel import Locale
from flask import Flask, abort, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateways.base import Callback, Gateway, Unreachable
from kiosque import payments
from kiosque.db import write
from kiosque.db.models import (
    Attempt,
    Child,
    Enrolment,
    Family,
    Guardian,
    Invoice,
    OutboxMail,
    Service,
)
from kiosque.db.states import NoticeKind
from kiosque.families import accounts, own_changes, tokens
from kiosque.invoices import announcements
from kiosque.language import catalogue
from kiosque.mails import delivery, rendering
from kiosque.outbox import queue
from kiosque.payments import CounterPayment, cancel_invoice, settle_at_counter
from kiosque.settings import Settings
from kiosque.web import cookies
from tests import sentences
from tests.bank import ABANDONED, REFUSED, notice
from tests.conftest import (
    ISSUERS,
    PASSWORD,
    TOWN,
    Clock,
    SignIn,
    choose_password,
    csrf_token,
    make_invoice,
)
from tests.mailbox import plain_of

NOTIFY = "/paiement/notification/banque"


@pytest.fixture
def sign_in(type_password: SignIn) -> SignIn:
    """By the page, which leaves more in the browser than a session."""
    return type_password


def choose(
    client: FlaskClient, code: str, page: str = "/connexion", **changes: str
) -> TestResponse:
    """Press the switch on a page."""
    html = client.get(page, follow_redirects=True).text
    data = {"csrf_token": csrf_token(html), "next": _next(html), "language": code, **changes}
    return client.post("/langue", data=data)


def _next(html: str) -> str:
    return re.search(r'name="next" value="([^"]*)"', html)[1].replace("&amp;", "&")


def spoken(page: str) -> str:
    return re.search(r'<html lang="([^"]+)"', page)[1]


# --- The switch ---


def test_a_visitor_reads_the_same_page_in_english_and_comes_back(stranger: FlaskClient) -> None:
    french = stranger.get("/confidentialite").text
    assert spoken(french) == "fr"
    assert re.search(r'<button [^>]*value="en" lang="en" dir="ltr">English</button>', french)
    answer = choose(stranger, "en", "/confidentialite")
    assert (answer.status_code, answer.location) == (302, "/confidentialite")
    english = stranger.get(answer.location).text
    assert spoken(english) == "en"
    assert "What we keep" in english
    assert re.search(r'<button [^>]*value="fr" lang="fr" dir="ltr">Français</button>', english)
    assert 'value="en"' not in english
    choose(stranger, "fr", "/confidentialite")
    assert spoken(stranger.get("/confidentialite").text) == "fr"


def test_the_switch_keeps_what_was_asked_of_the_page(alice: FlaskClient, october: Invoice) -> None:
    address = "/factures?tout=1&invoice=2026-10-0001"
    assert choose(alice, "en", address).location == address


@pytest.mark.parametrize(
    "target", ["https://evil.example.org/", "//evil.example.org", "/\\evil", "", "/a\nb", "x"]
)
def test_the_switch_leads_nowhere_but_here(stranger: FlaskClient, target: str) -> None:
    assert choose(stranger, "en", next=target).location == "/"


@pytest.mark.parametrize("code", ["", "xx", "../en", "EN", "en.po", "é"])
def test_an_unknown_language_is_refused_and_changes_nothing(
    alice: FlaskClient, alices_family: Family, code: str
) -> None:
    choose(alice, "en", "/compte")
    answer = choose(alice, code, "/compte")
    assert answer.status_code == 400
    assert "We did not understand that request" in answer.text
    assert Family.get_by_id(alices_family.id).language == "en"
    assert spoken(alice.get("/compte").text) == "en"


def test_another_site_cannot_press_the_switch(alice: FlaskClient, alices_family: Family) -> None:
    assert alice.post("/langue", data={"language": "en"}).status_code == 400
    assert Family.get_by_id(alices_family.id).language == "fr"
    assert alice.get("/langue").status_code == 405


def test_from_a_page_that_only_a_form_leads_to_the_switch_leads_home(
    alice: FlaskClient, october: Invoice
) -> None:
    token = csrf_token(alice.get("/factures").text)
    data = {"csrf_token": token, "invoice": october.number, "expected_cents": "4520"}
    assert _next(alice.post("/paiement/banque", data=data).text) == "/"
    wrong = alice.post("/compte/mot-de-passe", data={"csrf_token": token})
    assert (wrong.status_code, _next(wrong.text)) == (422, "/compte/mot-de-passe")


def test_what_the_browser_prefers_is_not_asked(stranger: FlaskClient) -> None:
    assert spoken(stranger.get("/connexion", headers={"Accept-Language": "en"}).text) == "fr"


@pytest.mark.parametrize("code", ["fr", "en"])
def test_the_bank_is_asked_to_speak_the_language_the_parent_reads(
    alice: FlaskClient, charlie: FlaskClient, october: Invoice, code: str
) -> None:
    choose(charlie, "en", "/factures")
    if code != "fr":
        choose(alice, code, "/factures")
    token = csrf_token(alice.get("/factures").text)
    data = {"csrf_token": token, "invoice": october.number, "expected_cents": "4520"}
    page = alice.post("/paiement/banque", data=data).text
    assert spoken(page) == code
    assert f'name="vads_language" value="{code}"' in page


# --- Whose choice it is ---


def test_a_family_finds_its_language_again_on_another_device(
    alice: FlaskClient, alices_family: Family, sign_in: Callable[[Family], FlaskClient]
) -> None:
    choose(alice, "en", "/factures")
    assert Family.get_by_id(alices_family.id).language == "en"
    assert spoken(sign_in(alices_family).get("/factures").text) == "en"


def test_charlie_reads_french_whatever_alice_reads(
    alice: FlaskClient, charlie: FlaskClient, charlies_family: Family
) -> None:
    choose(alice, "en", "/factures")
    assert spoken(charlie.get("/factures").text) == "fr"
    assert Family.get_by_id(charlies_family.id).language == "fr"


def enter(client: FlaskClient, family: Family) -> None:
    if not accounts.authenticate(family.code, PASSWORD):
        choose_password(family)
    token = csrf_token(client.get("/connexion").text)
    data = {"code": family.code, "password": PASSWORD, "csrf_token": token}
    assert client.post("/connexion", data=data).status_code == 302


def test_a_language_asked_for_before_signing_in_is_the_familys_from_then_on(
    stranger: FlaskClient, alices_family: Family
) -> None:
    choose(stranger, "en")
    enter(stranger, alices_family)
    assert spoken(stranger.get("/factures").text) == "en"
    assert Family.get_by_id(alices_family.id).language == "en"


def test_after_signing_out_the_page_keeps_its_language_but_the_next_family_has_its_own(
    alice: FlaskClient, charlies_family: Family
) -> None:
    choose(alice, "en", "/factures")
    token = csrf_token(alice.get("/factures").text)
    page = alice.post("/deconnexion", data={"csrf_token": token}, follow_redirects=True).text
    assert spoken(page) == "en"
    assert "You are signed out." in page
    enter(alice, charlies_family)
    assert spoken(alice.get("/factures").text) == "fr"
    assert Family.get_by_id(charlies_family.id).language == "fr"


def test_a_language_that_is_no_more_is_french_again(
    alices_family: Family, sign_in: Callable[[Family], FlaskClient]
) -> None:
    Family.update(language="xx").execute()
    assert spoken(sign_in(alices_family).get("/factures").text) == "fr"


# --- The journey in English ---


def test_a_family_pays_in_english_from_the_first_page_to_the_mail(
    stranger: FlaskClient, alices_family: Family, october: Invoice, settings: Settings
) -> None:
    choose(stranger, "en")
    enter(stranger, alices_family)
    page = stranger.get("/factures").text
    assert "You have 1 invoice to pay, €45.20 in total." in page
    assert "October 2026" in page
    assert '<span lang="fr">Restauration scolaire</span>' in page
    assert "no later than 30\u00a0November\u00a02026" in page
    page = stranger.get("/paiement/recapitulatif?invoice=2026-10-0001").text
    assert "Check your payment" in page
    data = {"csrf_token": csrf_token(page), "invoice": october.number, "expected_cents": "4520",
            "email": "nobody"}  # fmt: skip
    assert "Enter a full email address" in stranger.post("/paiement/banque", data=data).text
    page = stranger.post("/paiement/banque", data={**data, "email": "a@example.org"}).text
    assert "You are about to pay €45.20" in page
    fields = re.findall(r'name="((?:vads_|sign)\w+)" value="([^"]*)"', page)
    handoff = type("Form", (), {"fields": fields})
    assert stranger.post(NOTIFY, data=notice(handoff)).text == "OK"
    reference = dict(fields)["vads_order_id"]
    page = stranger.get(f"/paiement/retour/{reference}").text
    assert "<h1>Payment complete</h1>" in page
    receipt = stranger.get(re.search(r'href="(/recus/\d+)"', page)[1]).text
    for words in (
        *("Payment receipt (reçu de paiement)", "24\u00a0November\u00a02026 at 20:30", "€45.20"),
        *("Payment card, online (CB ending in 0001)", "Paid in full (acquitté)."),
    ):
        assert words in receipt
    assert delivery.deliver(settings) == (1, 0)
    (path,) = (settings.data / "outbox").iterdir()
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert re.fullmatch(r"Payment receipt \S+: €45.20", message["Subject"])
    assert (
        "October 2026, Léa Martin: Restauration scolaire. Invoice 2026-10-0001, €45.20."
        in plain_of(message)
    )


def test_the_regisseur_is_written_to_in_french_whatever_the_family_reads(
    alices_family: Family, october: Invoice, gateway: Gateway, pay: Any
) -> None:
    _, handoff = pay(alices_family, october)
    with catalogue.using("en"):
        for cents in ("5000", "5100"):
            told = callback(notice(handoff, amount=cents, effective_amount=cents))
            payments.record(gateway.name, gateway.read_notification(told), ISSUERS)
    (point,) = payments.open_anomalies()
    assert "51,00\u00a0€" in point.detail


def callback(fields: dict[str, str]) -> Callback:
    return Callback.of_form(fields.items())


# --- Nothing left in French by oversight ---


class Brackets(NullTranslations):
    """A language that says everything between brackets: what stands outside is not ours to
    translate, or was not marked."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: float) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = catalogue._Catalogue(Brackets(), Locale("en", "GB"))
    using, speak = catalogue.using, catalogue.speak
    monkeypatch.setattr(catalogue, "_catalogue", lambda _code: made)
    monkeypatch.setattr(catalogue, "using", lambda _code: using("en"))
    monkeypatch.setattr(catalogue, "speak", lambda _code: speak("en"))


#: Names and what the town's files say, in these tests; they are nobody's to translate.
DATA = (
    "Kiosque Famille", "Ville de Sautron", "Service famille", "Régie Enfance", "Dominique Aubry",
    "enfance@sautron.example.org", "info@sautron.example.org", "http://127.0.0.1:8001",
    "Restauration scolaire", "Repas", "Léa Martin", "Alice Martin", "Martin", "Sautron",
    "1 rue des Lilas", "Banque de démonstration", "alice@example.org", "Français", "English",
    "automne 2026", "Automne 2026", "F1001", "CB", "3fe69a",
)  # fmt: skip
READ_ALOUD = ("alt", "aria-label", "title", "placeholder", "data-untick-words", "summary")


class Words(HTMLParser):
    """All that a page says: its text, and the attributes that are read aloud or shown."""

    def __init__(self) -> None:
        super().__init__()
        self.said = [""]
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style")
        given = dict(attrs)
        spoken = [given[name] or "" for name in READ_ALOUD if name in given]
        if tag == "input" and given.get("type") in ("submit", "button", "reset"):
            spoken.append(given.get("value") or "")
        self.said += spoken

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        self.said[0] += "" if self.silent else data


def left_in_french(html: str) -> list[str]:
    """The words of a page, or of a mail, that are neither between brackets nor data."""
    words = Words()
    words.feed(html)
    found = []
    for text in words.said:
        known = re.sub("|".join(map(re.escape, DATA)), " ", text)
        known = re.sub(r"\d[\d:/-]*|R\d{4}-\d+|KF[0-9a-f]{18}|[0-9a-f]{8,}", " ", known)
        known = re.sub(r"\b(September|October|November|December)\b", " ", known)
        while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", " ", known)) != known:
            known = shorter
        found += re.findall(r"[^\W\d_]{2,}", known)
    return found


def test_the_brackets_find_what_is_not_marked() -> None:
    assert left_in_french("<p>⟦Bonjour ⟦12⟧ <b>ici</b>⟧ Martin</p>") == []
    assert left_in_french("<p>⟦Bonjour⟧ à tous</p>") == ["tous"]
    assert left_in_french('<p aria-label="Menu">⟦Bonjour⟧</p>') == ["Menu"]
    assert left_in_french("<title>Mes factures</title><script>texte</script>") == [
        "Mes",
        "factures",
    ]


#: What answers a browser without a page of ours, or answers a bank.
WITHOUT_WORDS = {"site.index", "site.health", "site.asset", "site.language", "account.sign_out",
                 "account.end_others", "unsubscribe.set_wanted", "papers.invoice", "papers.receipt",
                 "papers.yearly", "notification.receive", "bank_return.sent_back"}  # fmt: skip


@pytest.fixture
def household(alices_family: Family, pay: Any, gateway: Gateway, frozen: Clock) -> Family:
    """Alice's family with an invoice in every state, a record, payments of every end."""
    make = iter(range(1, 99))

    def invoice(**values: object) -> Invoice:
        return make_invoice(alices_family, f"2026-10-{next(make):04d}", 4520, **values)

    def told(*invoices: Invoice, **changes: str | None) -> None:
        _, handoff = pay(alices_family, *invoices, email="alice@example.org")
        fields = notice(handoff, **changes)
        payments.record(gateway.name, gateway.read_notification(callback(fields)), ISSUERS)

    told(invoice(), invoice(period="automne 2026"))
    told(invoice(), **REFUSED)
    told(invoice(), **ABANDONED)
    told(invoice(), amount="9999", effective_amount="9999")
    told(invoice(), trans_status="UNDER_VERIFICATION")
    pay(alices_family, invoice())
    counter = CounterPayment(
        invoice().number, 4520, "cash", date(2026, 11, 6), "D. Aubry", "guichet"
    )
    settle_at_counter([counter])
    cancel_invoice(invoice().number, "D. Aubry", "erreur")
    invoice(closes_on=date(2026, 11, 1))
    invoice(due_on=date(2026, 11, 1))
    invoice()
    child = Child.create(family=alices_family, name="Léa Martin", born_on=date(2019, 12, 3))
    Child.create(family=alices_family, name="Léa Martin Martin")
    Enrolment.create(child=child, service=Service.get())
    Guardian.create(family=alices_family, first_name="Alice", last_name="Martin")
    return alices_family


@pytest.fixture
def visited(app: Flask) -> set[str]:
    found: set[str] = set()
    app.after_request(lambda response: (found.add(request.endpoint or ""), response)[1])
    return found


def crawl(client: FlaskClient, *starts: str) -> Iterator[tuple[str, str]]:
    """Every page that links lead to, each address once."""
    todo, seen = list(starts), set(starts)
    while todo:
        address = todo.pop()
        answer = client.get(address, follow_redirects=True)
        if answer.mimetype != "text/html":
            continue
        yield address, answer.text
        links = re.findall(r'(?:href|action)="(/[^"#]*)"', answer.text)
        for link in (link.replace("&amp;", "&") for link in links):
            if link not in seen and not link.startswith("/fichiers/"):
                seen.add(link)
                todo.append(link)


@pytest.mark.slow
def test_no_page_says_a_french_word_that_is_not_marked_for_translation(
    app: Flask,
    visited: set[str],
    stranger: FlaskClient,
    household: Family,
    sign_in: Callable[[Family], FlaskClient],
    bracketed: None,
) -> None:
    alice = sign_in(household)
    # Agents work in French.
    rules = [each for each in app.url_map.iter_rules() if not cookies.is_office(each.rule)]
    flat = [rule.rule for rule in rules if not rule.arguments]
    pages = list(crawl(stranger, *flat, "/nulle-part"))
    pages += crawl(alice, *flat, "/nulle-part", "/factures?page=2", "/paiement/recapitulatif")
    numbers = [invoice.number for invoice in Invoice.select()]
    pages += crawl(alice, *(f"/paiement/recapitulatif?invoice={number}" for number in numbers))
    returns = [f"/paiement/retour/{attempt.reference}" for attempt in Attempt.select()]
    pages += [*crawl(alice, *returns), *crawl(stranger, *returns), *_filled_forms(alice, stranger)]
    pages += _opened_links(app, household)
    assert len({address for address, _ in pages}) > 30
    left = {address: words for address, html in pages if (words := left_in_french(html))}
    assert left == {}
    with_words = {rule.endpoint for rule in rules} - WITHOUT_WORDS
    assert with_words <= visited, "lead somebody to these pages above, or to a link to them"


def _opened_links(app: Flask, family: Family) -> Iterator[tuple[str, str]]:
    """Open the links of mails: a new password, a new address, fewer mails, nothing."""
    Family.update(email="alice@example.org").where(Family.id == family.id).execute()
    for purpose in tokens.Purpose.RESET, tokens.Purpose.EMAIL:
        with write():
            token = tokens.prepare_link(purpose, family, "alice@example.org")
        secret = tokens.draw_link(token.id)
        client = app.test_client()
        page = client.get(f"/lien/{secret}", follow_redirects=True)
        assert page.status_code == 200
        yield purpose, page.text
        if purpose == tokens.Purpose.RESET:
            data = {"csrf_token": csrf_token(page.text), "new": "court"}
            yield "a short one", client.post("/mot-de-passe/nouveau", data=data).text
    yield "a dead link", app.test_client().get("/lien/x").text
    stop = f"/courriels/arret/{announcements.stop_token(app.config['SECRET_KEY'], family)}"
    yield "fewer mails", app.test_client().get(stop).text
    yield "no more mails", app.test_client().post(stop).text
    yield "a cut link", app.test_client().get(f"{stop}x").text


def _filled_forms(alice: FlaskClient, stranger: FlaskClient) -> Iterator[tuple[str, str]]:
    """Send forms with nothing filled, with wrong values and with right ones."""
    token = csrf_token(stranger.get("/connexion").text)
    for data in ({}, {"code": "x" * 200, "password": "x"}, {"code": "F1001", "password": "x"}):
        yield "sign in", stranger.post("/connexion", data={**data, "csrf_token": token}).text
    token = csrf_token(alice.get("/compte").text)
    password = PASSWORD
    for new in ("", "court", "F1001 et quelques mots", password, "azertyuiop12"):
        data = {"csrf_token": token, "current": password, "new": new}
        yield f"password {new}", alice.post("/compte/mot-de-passe", data=data).text
    yield "password", alice.post("/compte/mot-de-passe", data={**data, "current": "non"}).text
    number = "2026-10-0012"
    pay = {"csrf_token": token, "invoice": number, "expected_cents": "4520"}
    for changes in ({"email": "nobody"}, {"expected_cents": "1"}, {"invoice": "X"}, {}):
        yield f"pay {changes}", alice.post("/paiement/banque", data={**pay, **changes}).text
    data = {"csrf_token": token}
    for action in ("reprendre", "abandonner"):
        address = f"/paiement/{action}/{Attempt.get(state='handed_off').reference}"
        yield action, alice.post(address, data=data, follow_redirects=True).text
    yield "expired", alice.post("/connexion").text
    yield "no method", alice.delete("/compte").text
    yield "too large", alice.post("/langue", data={"language": "x" * 70_000}).text
    yield (
        "signed out",
        alice.post("/deconnexion", data={"csrf_token": token}, follow_redirects=True).text,
    )


@pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
def test_no_error_page_says_a_word_that_is_not_marked(
    app: Flask, stranger: FlaskClient, status: int, bracketed: None
) -> None:
    app.view_functions["site.privacy"] = lambda: abort(status)
    page = stranger.get("/confidentialite")
    assert page.status_code == status
    assert left_in_french(page.text) == []


def test_an_unreachable_bank_is_said_in_marked_words(
    alice: FlaskClient, october: Invoice, monkeypatch: pytest.MonkeyPatch, bracketed: None
) -> None:
    def refuse(*_: object) -> None:
        raise Unreachable

    monkeypatch.setattr(payments, "start", refuse)
    token = csrf_token(alice.get("/factures").text)
    data = {"csrf_token": token, "invoice": october.number, "expected_cents": "4520"}
    answer = alice.post("/paiement/banque", data=data)
    assert answer.status_code == 503
    assert left_in_french(answer.text) == []


def test_a_silent_bank_and_a_late_sign_in_are_said_in_marked_words(
    alice: FlaskClient, october: Invoice, pay: Any, frozen: Clock, bracketed: None
) -> None:
    attempt, _ = pay(october.family, october)
    frozen.advance(minutes=30)
    page = alice.get(f"/paiement/retour/{attempt.reference}").text
    assert sentences.NEVER_ANSWERED in page
    assert left_in_french(page) == []
    frozen.at += timedelta(days=30)
    page = alice.get("/factures", follow_redirects=True).text
    assert sentences.SESSION_OVER in page
    assert left_in_french(page) == []


def test_no_familys_mail_says_a_word_that_is_not_marked(
    household: Family, settings: Settings, bracketed: None
) -> None:
    household.email = "alice@example.org"
    household.save()
    account = choose_password(household)
    own_changes.change_password(account, "une tout autre phrase", TOWN, "")
    own_changes.ask_email(household, "new@example.org", "")
    open_invoices = list(Invoice.select().where(payments.payable_now()))
    with write():
        for kind in NoticeKind:
            announcements.queue_notice(kind, household, open_invoices)
        link = tokens.prepare_link(tokens.Purpose.RESET, household, household.email)
        queue.add("reset:1", "reset", link.id, household.email)
    seen = set()
    for row in OutboxMail.select().where(OutboxMail.template != "anomaly"):
        letter = rendering.render_mail(settings, row)
        assert letter, row.template
        seen.add(row.template)
        text = re.sub(rf"{settings.public_url}/[\w./-]*", "", f"{letter.subject}\n{letter.text}")
        assert left_in_french(text) == [], row.template
        html = re.sub(rf">\s*{settings.public_url}/[^<]*<", "><", letter.html)
        assert left_in_french(html) == [], row.template
    assert {"receipt", "reset", "email_confirm", "email_asked", "password_changed"} < seen
    assert seen > set(NoticeKind)
