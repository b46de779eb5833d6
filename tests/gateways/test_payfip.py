"""PayFiP: what it is told, what its answers are worth, and what proves nothing."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateways.base import (
    BadCallback,
    Callback,
    Checks,
    ConfigError,
    Gateway,
    Handoff,
    Mode,
    Outcome,
    Polls,
    Refunds,
    Unreachable,
    WrongEmail,
)
from gateways.http import SoapFault
from gateways.payfip import PayfipGateway, orders, soap
from gateways.payfip.orders import creation, instant, is_purged, refdet, subject
from gateways.registry import configure
from tests import sentences
from tests.bank import SHARED
from tests.payfip import IDOP, NUMCLI, ORDER, TABLE, answer, created, detail, envelope, fault

Ask = Callable[[bytes | Exception], PayfipGateway]
SAMPLES = SHARED / "samples"
STARTED = ORDER.started_at
TECHNICAL = ("TechDysfonctionnementErreur", "TechIndisponibiliteErreur", "TechProtocolaireErreur")


@pytest.fixture
def asked() -> list[bytes]:
    """The envelopes that were sent."""
    return []


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch, asked: list[bytes]) -> Ask:
    """A gateway whose service answers this, an hour after the order started."""

    def make(said: bytes | Exception) -> PayfipGateway:
        def post(_endpoint: object, path: str, body: bytes, *, seconds: float) -> bytes:
            assert path == "/tpa/services/securite"
            assert seconds <= 20
            asked.append(body)
            if isinstance(said, Exception):
                raise said
            return said

        monkeypatch.setattr(soap, "post_soap", post)
        gateway = PayfipGateway.configure("tresor", TABLE, environment="test")
        gateway._now = lambda: STARTED + timedelta(hours=1)
        return gateway

    return make


def leaves(sent: bytes) -> dict[str, str]:
    return {leaf.tag: leaf.text for leaf in etree.fromstring(sent)[0][0][0]}


# --- The way out ---


def test_a_payment_is_created_with_the_nine_values_in_the_schemas_order(
    says: Ask, asked: list[bytes]
) -> None:
    handoff = says(created()).start(ORDER)
    assert handoff == Handoff(f"https://www.payfip.gouv.fr/tpa/paiementws.web?idop={IDOP}", IDOP)
    root = etree.fromstring(asked[0])
    assert root[0][0].tag == f"{{{soap.SERVICE}}}creerPaiementSecurise"
    assert root[0][0][0].tag == "arg0"
    assert list(leaves(asked[0]).items()) == [
        ("exer", "2026"),
        ("mel", "alice@example.org"),
        ("montant", "8745"),
        ("numcli", "006382"),
        ("objet", "Factures 2026 09 0012 2026 10 0340"),
        ("refdet", "KF0123456789abcdef01"),
        ("saisie", "T"),
        ("urlnotif", ORDER.notification_url),
        ("urlredirect", ORDER.return_url),
    ]


def test_the_year_of_the_debt_is_the_one_in_paris_unless_it_is_set() -> None:
    contract = PayfipGateway.configure("t", TABLE, environment="test")._contract
    new_year = replace(ORDER, started_at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    assert creation(new_year, contract)["exer"] == "2027"
    assert creation(new_year, replace(contract, exer="2026"))["exer"] == "2026"


def test_markup_in_a_value_is_only_text(says: Ask, asked: list[bytes]) -> None:
    email = "a&b<c>'@example.org"
    says(created()).start(replace(ORDER, email=email))
    assert leaves(asked[0])["mel"] == email


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("Facture n°12/B – été", "Facture n 12 B ete"),
        ("L’école d'Hélène_2", "L ecole d Helene 2"),
        ("Œuvre ½ ﬁn", "uvre 1 2 fin"),
        ("", ""),
        ("a" * 150, "a" * 100),
        ("b" * 99 + " c", "b" * 99),
    ],
)
def test_what_is_paid_is_said_in_the_alphabet_of_the_treasury(said: str, sent: str) -> None:
    assert subject(said) == sent


@pytest.mark.slow
@given(st.text(max_size=200))
def test_no_description_leaves_that_alphabet(text: str) -> None:
    sent = subject(text)
    assert sent == " ".join(sent.split())
    assert len(sent) <= 100
    assert all(letter.isascii() and (letter.isalnum() or letter == " ") for letter in sent)


def test_an_empty_description_is_left_out(says: Ask, asked: list[bytes]) -> None:
    says(created()).start(replace(ORDER, description="…"))
    assert "objet" not in leaves(asked[0])


def test_a_short_reference_is_padded_and_one_too_long_is_never_sent() -> None:
    assert refdet("KF-12") == "00KF12"
    with pytest.raises(ValueError, match="référence"):
        refdet("x" * 31)


@pytest.mark.parametrize(
    "email",
    [None, "", "a@b.c", "alice", "a@b@example.org", "é@example.org", "a b@example.org",
     "a" * 70 + "@example.org"],
)  # fmt: skip
def test_an_address_payfip_would_refuse_is_for_the_payer_to_correct(
    says: Ask, asked: list[bytes], email: str | None
) -> None:
    with pytest.raises(WrongEmail):
        says(created()).start(replace(ORDER, email=email))
    assert asked == []


@pytest.mark.parametrize("field", ["return_url", "notification_url"])
@pytest.mark.parametrize(
    "url", ["https://x.fr/" + "a" * 240, "https://x.fr/?a=1&b=2", "javascript:1"]
)
def test_an_address_that_does_not_fit_is_a_fault_of_ours(says: Ask, field: str, url: str) -> None:
    with pytest.raises(ValueError, match="adresse"):
        says(created()).start(replace(ORDER, **{field: url}))


@pytest.mark.parametrize("code", ["A1", "A2"])
def test_an_address_the_service_refuses_is_for_the_payer_to_correct(says: Ask, code: str) -> None:
    with pytest.raises(WrongEmail):
        says(fault(code)).start(ORDER)


@pytest.mark.parametrize("code", ["D1", "M5", "N1", "R3", "S1", "T1", "T2", "T4", "E1", "O9"])
def test_another_refusal_to_create_is_logged_with_its_words(
    says: Ask, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unreachable, match=code):
        says(fault(code)).start(ORDER)
    assert f"{code} : Explication." in caplog.text
    assert "alice@example.org" not in caplog.text


@pytest.mark.parametrize("idop", ["", "x", IDOP[:-1], IDOP + "0", f"../{IDOP}", IDOP + "&a=b"])
def test_an_identifier_that_is_none_sends_nobody_anywhere(says: Ask, idop: str) -> None:
    with pytest.raises(Unreachable):
        says(created(idop.replace("&", "&amp;"))).start(ORDER)


# --- The notification: a trigger ---


@pytest.mark.parametrize("name", ["idop", "idOp", "IDOP"])
@pytest.mark.parametrize("idop", [IDOP, IDOP.upper()])
def test_a_notification_says_only_that_there_is_news(says: Ask, name: str, idop: str) -> None:
    report = says(Unreachable()).read_notification(Callback.of_form([(name, idop)]))
    assert (report.reference, report.gateway_reference, report.ask) == ("", IDOP, True)
    assert report.outcome is Outcome.PENDING
    assert report.cents == 0


@pytest.mark.parametrize(
    "fields",
    [
        (),
        (("resultrans", "P"),),
        (("idop", ""),),
        (("idop", IDOP[1:]),),
        (("idop", f"{IDOP}\n"), ("idop", IDOP)),
        (("idop", IDOP), ("idop", IDOP)),
        (("idop", IDOP), ("idOp", IDOP)),
        (("idop", IDOP.replace("d", "٣")),),
        (("idop", f"' OR 1=1 -- {IDOP}"),),
    ],
)
def test_what_is_no_notification_changes_nothing(
    says: Ask, asked: list[bytes], fields: tuple[tuple[str, str], ...]
) -> None:
    with pytest.raises(BadCallback):
        says(detail()).read_notification(Callback.of_form(fields))
    assert asked == []


def test_results_in_a_notification_are_not_read(says: Ask) -> None:
    forged = (("idop", IDOP), ("resultrans", "P"), ("montant", "8745"))
    report = says(Unreachable()).read_notification(Callback.of_form(forged))
    assert report.outcome is Outcome.PENDING
    assert report.raw == {"idop": IDOP}


# --- The look-up ---


@pytest.mark.parametrize(
    ("result", "outcome", "mode"),
    [
        ("P", Outcome.PAID, Mode.CARD),
        ("V", Outcome.PAID, Mode.DIRECT_DEBIT),
        ("R", Outcome.REFUSED, Mode.CARD),
        ("Z", Outcome.REFUSED, Mode.DIRECT_DEBIT),
        ("A", Outcome.CANCELLED, Mode.CARD),
    ],
)
def test_each_result_has_its_outcome(
    says: Ask, asked: list[bytes], result: str, outcome: Outcome, mode: Mode
) -> None:
    (report,) = says(detail(resultrans=result)).poll(ORDER)
    assert (report.outcome, report.mode, report.status) == (outcome, mode, result)
    assert report.reference == ORDER.reference
    assert report.gateway_reference == IDOP
    assert (report.cents, report.currency) == (8745, "EUR")
    assert report.transaction_id == ("" if result == "A" else IDOP)
    assert report.authorisation == "112233"
    assert report.final
    assert not report.ask
    assert not report.anomaly
    assert leaves(asked[0]) == {"idOp": IDOP}


def test_the_payers_address_is_not_kept(says: Ask) -> None:
    (report,) = says(detail()).poll(ORDER)
    assert "alice@example.org" not in str(report)


def test_a_long_authorisation_of_a_direct_debit_is_kept_whole(says: Ask) -> None:
    (report,) = says(detail(resultrans="V", numauto="112233445566-tip")).poll(ORDER)
    assert report.authorisation == "112233445566-tip"


def test_a_payment_announced_with_an_error_of_the_service_is_not_paid(says: Ask) -> None:
    with pytest.raises(Unreachable, match="en panne"):
        says(SoapFault(detail())).poll(ORDER)
    with pytest.raises(Unreachable, match="en panne"):
        says(SoapFault(created())).start(ORDER)
    for garbled in (b"", b"<html/>", b"<a", b"\xff"):
        with pytest.raises(Unreachable):
            says(SoapFault(garbled)).poll(ORDER)


def test_a_fault_that_comes_with_an_error_says_what_it_says(says: Ask) -> None:
    assert says(SoapFault(fault("P5"))).poll(ORDER) == []
    with pytest.raises(WrongEmail):
        says(SoapFault(fault("A2"))).start(ORDER)


@pytest.mark.parametrize("result", ["", None])
def test_an_answer_without_a_result_is_no_answer(says: Ask, result: str | None) -> None:
    with pytest.raises(Unreachable, match=sentences.NO_RESULT):
        says(detail(resultrans=result)).poll(ORDER)


@pytest.mark.parametrize("result", ["Q", "PP", "p"])
def test_a_result_nobody_knows_is_not_paid_and_a_human_is_told(
    says: Ask, result: str | None
) -> None:
    (report,) = says(detail(resultrans=result)).poll(ORDER)
    assert report.outcome is Outcome.PENDING
    assert report.anomaly


@pytest.mark.parametrize(
    ("leaf", "value"),
    [
        ("idOp", "00000000-b336-11e2-9476-001fe256bdfe"),
        ("montant", "8746"),
        ("montant", "08745"),
        ("montant", "87,45"),
        ("numcli", "006383"),
        ("refdet", "KF0123456789abcdef02"),
        ("saisie", "W"),
        ("saisie", "X"),
    ],
)
@pytest.mark.parametrize("result", ["P", "R"])
def test_an_answer_about_another_payment_is_believed_in_nothing(
    says: Ask, leaf: str, value: str, result: str
) -> None:
    for told in (value, None):
        with pytest.raises(Unreachable):
            says(detail(**{"resultrans": result, leaf: told})).poll(ORDER)


def test_a_test_payment_never_pays_in_production(says: Ask) -> None:
    says(detail(saisie="T"))
    gateway = PayfipGateway.configure("t", {**TABLE, "mode": "W"}, environment="production")
    with pytest.raises(Unreachable, match="saisie"):
        gateway.poll(ORDER)


def test_without_a_result_nothing_is_known_yet(says: Ask) -> None:
    assert says(fault("P5")).poll(ORDER) == []


def test_an_order_that_never_reached_payfip_is_not_asked_about(
    says: Ask, asked: list[bytes]
) -> None:
    assert says(detail()).poll(replace(ORDER, gateway_reference="")) == []
    assert asked == []


@pytest.mark.parametrize("code", ["P1", "P3", "P4", "T2", "Z9", "999"])
def test_any_other_refusal_within_the_day_proves_nothing(says: Ask, code: str) -> None:
    with pytest.raises(Unreachable):
        says(fault(code)).poll(ORDER)


@pytest.mark.parametrize("kind", TECHNICAL)
@pytest.mark.parametrize("code", ["999", "P5", "P1", "A2"])
def test_a_technical_fault_is_never_an_answer(says: Ask, kind: str, code: str) -> None:
    gateway = says(fault(code, kind))
    gateway._now = lambda: STARTED + timedelta(days=3)
    for ask in (gateway.poll, gateway.start):
        with pytest.raises(Unreachable):
            ask(ORDER)


# --- Times: Paris, by the minute ---


@pytest.mark.parametrize(
    ("started", "still_held", "purged"),
    [
        ("2026-07-01T12:00", "2026-07-02T03:59", "2026-07-02T04:00"),
        ("2026-07-01T22:30", "2026-07-02T03:59", "2026-07-02T04:00"),
        ("2026-07-02T04:00", "2026-07-03T03:59", "2026-07-03T04:00"),
        ("2026-12-01T12:00", "2026-12-02T04:59", "2026-12-02T05:00"),
    ],
)
def test_an_unknown_identifier_was_purged_once_a_night_has_passed_in_paris(
    says: Ask, started: str, still_held: str, purged: str
) -> None:
    order = replace(ORDER, started_at=datetime.fromisoformat(f"{started}+00:00"))
    assert not is_purged(order, datetime.fromisoformat(f"{still_held}+00:00"))
    assert is_purged(order, datetime.fromisoformat(f"{purged}+00:00"))
    gateway = says(fault("P1"))
    gateway._now = lambda: datetime.fromisoformat(f"{purged}+00:00")
    assert gateway.poll(order) == []


def test_an_abandonment_is_believed_two_minutes_after_its_minute(says: Ask) -> None:
    gateway = says(detail(resultrans="A"))
    for seconds, believed in ((0, False), (179, False), (180, True)):
        gateway._now = lambda seconds=seconds: STARTED + timedelta(seconds=seconds)
        assert bool(gateway.poll(ORDER)) is believed


@pytest.mark.parametrize(
    "changes",
    [{"dattrans": None}, {"heurtrans": None}, {"heurtrans": "2460"}, {"dattrans": "31022026"},
     {"heurtrans": "1 30"}, {"dattrans": "١٢٠٧٢٠٢٦"}],
)  # fmt: skip
def test_an_abandonment_without_a_date_waits_but_a_payment_does_not(
    says: Ask, changes: dict[str, str | None]
) -> None:
    with pytest.raises(Unreachable):
        says(detail(resultrans="A", **changes)).poll(ORDER)
    assert says(detail(**changes)).poll(ORDER)[0].outcome is Outcome.PAID


@pytest.mark.parametrize(
    ("hour", "after", "meant"),
    [
        ("0230", "2026-10-25T00:20", "2026-10-25T00:30"),
        ("0230", "2026-10-25T01:10", "2026-10-25T01:30"),
        ("0230", "2026-10-25T00:35", "2026-10-25T00:30"),
        ("0259", "2026-10-25T00:55", "2026-10-25T00:59"),
        ("0205", "2026-10-25T00:58", "2026-10-25T01:05"),
        ("1420", "2026-10-25T13:00", "2026-10-25T13:20"),
    ],
)
def test_the_hour_that_october_repeats_is_the_one_after_the_start(
    hour: str, after: str, meant: str
) -> None:
    known = datetime.fromisoformat(f"{after}+00:00")
    assert instant("25102026", hour, known) == datetime.fromisoformat(f"{meant}+00:00")


def test_the_hour_that_march_skips_is_still_an_instant() -> None:
    known = datetime(2026, 3, 29, 0, 50, tzinfo=UTC)
    assert abs(instant("29032026", "0230", known) - known) < timedelta(hours=1)


# --- Envelopes ---


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"<html><body>Maintenance</body></html>",
        b"not xml",
        envelope(""),
        envelope("<a/><b/>"),
        detail().replace(b"recupererDetail", b"autreDetail"),
        detail().replace(soap.SERVICE.encode(), b"urn:other"),
        detail().replace(soap.ENVELOPE.encode(), b"http://www.w3.org/2003/05/soap-envelope"),
        detail().replace(b"</numcli>", b"</numcli><numcli>006382</numcli>"),
        detail().replace(b"<numcli>", b"<idop>x</idop><numcli>"),
        detail().replace(b"<montant>8745", b"<montant><b>8745</b>"),
        detail().replace(b"<return>", b"<return/><return>"),
        detail()[:-20],
        detail().replace(b"UTF-8", b"EBCDIC-9"),
        detail().replace(b"<exer>20", b"<exer>\xff"),
        b"<a>" * 5_000 + b"</a>" * 5_000,
        envelope("<S:Fault><faultcode>S:Server</faultcode></S:Fault>"),
        fault("P5").replace(b"<code>P5</code>", b""),
        fault("P5 ou <b/>"),
        fault("x" * 50),
    ],
)
def test_what_is_not_the_answer_awaited_is_no_answer(says: Ask, said: bytes) -> None:
    with pytest.raises(Unreachable):
        says(said).poll(ORDER)


DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


@pytest.mark.parametrize(
    "dtd",
    [
        b'<!DOCTYPE x [<!ENTITY p "P">]>',
        b'<!DOCTYPE x [<!ENTITY p SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY p "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
        b"<!DOCTYPE x>",
    ],
)
@pytest.mark.parametrize("leaf", [b"P", b"&p;"])
def test_no_entity_is_ever_read(says: Ask, dtd: bytes, leaf: bytes) -> None:
    said = detail().replace(DECLARATION, DECLARATION + dtd)
    with pytest.raises(Unreachable):
        says(said.replace(b"<resultrans>P", b"<resultrans>" + leaf)).poll(ORDER)


def test_comments_and_white_space_are_of_no_account(says: Ask) -> None:
    said = detail().replace(b"<resultrans>P", b"<!-- x --><resultrans> P ")
    assert says(said).poll(ORDER)[0].outcome is Outcome.PAID


@given(st.binary(max_size=300))
def test_whatever_bytes_come_nothing_else_than_no_answer_is_raised(noise: bytes) -> None:
    for said in (noise, detail()[:400] + noise, detail().replace(b"8745", noise)):
        with contextlib.suppress(Unreachable, soap.FunctionalFault):
            soap.read(said, "recupererDetailPaiementSecurise")


def test_the_words_of_a_fault_are_cut_short_before_they_reach_a_log(
    says: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unreachable):
        says(fault("P4", words="a\r\nINJECTED" + "b" * 500)).poll(ORDER)
    assert "\r" not in caplog.text
    assert len(caplog.text) < 400


# --- Samples of others ---


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not beside the project")
def test_a_refusal_and_a_fault_as_others_recorded_them_are_read() -> None:
    refused = (SAMPLES / "3_PayFiP_detail_refus.xml").read_bytes()
    told = soap.read(refused, "recupererDetailPaiementSecurise")
    contract = PayfipGateway.configure("t", {**TABLE, "numcli": "006270"}, environment="test")
    order = replace(ORDER, reference="FACT00000001", cents=12500)
    now = datetime(2026, 8, 3, 13, 0, tzinfo=UTC)
    (report,) = orders.read_detail(told, order, contract._contract, now)
    assert (report.outcome, report.authorisation) == (Outcome.REFUSED, "")
    unknown = (SAMPLES / "4_PayFiP_fault_P5_resultat_inconnu.xml").read_bytes()
    with pytest.raises(soap.FunctionalFault, match="Résultat de la transaction non connu") as said:
        soap.read(unknown, "recupererDetailPaiementSecurise")
    assert said.value.code == "P5"


# --- Settings ---


@pytest.mark.parametrize(
    ("environment", "mode", "allowed"),
    [
        ("production", "W", True),
        ("production", "X", True),
        ("production", "T", False),
        ("test", "T", True),
        ("test", "W", False),
        ("test", "X", False),
        ("demo", "X", False),
        ("production", "M", False),
        ("test", "", False),
    ],
)
def test_real_payments_are_for_production_and_tests_for_elsewhere(
    environment: str, mode: str, allowed: bool
) -> None:
    table = {**TABLE, "mode": mode}
    if allowed:
        configure("t", table, environment=environment)
        return
    with pytest.raises(ConfigError, match=r"gateways\.t\.mode"):
        configure("t", table, environment=environment)


@pytest.mark.parametrize(
    ("changes", "fault_of"),
    [
        ({"numcli": "6382"}, "numcli"),
        ({"numcli": "٠٠٦٣٨٢"}, "numcli"),
        ({"numcli": 6382}, "numcli"),
        ({"exer": "26"}, "exer"),
        ({"maximum_cents": 99}, "maximum_cents"),
        ({"maximum_cents": 10_000_000}, "maximum_cents"),
        ({"origin": "http://127.0.0.1"}, "origin"),
        ({"host": "evil.example"}, "host"),
    ],
)
def test_each_fault_of_the_settings_is_named(changes: dict[str, object], fault_of: str) -> None:
    with pytest.raises(ConfigError) as refused:
        configure("t", {**TABLE, **changes}, environment="test")
    assert [each.partition(" : ")[0] for each in refused.value.faults] == [f"gateways.t.{fault_of}"]


def test_what_payfip_can_do_and_cannot() -> None:
    gateway = configure("t", {**TABLE, "maximum_cents": "50000"}, environment="test")
    assert isinstance(gateway, Gateway)
    assert isinstance(gateway, Polls)
    assert isinstance(gateway, Checks)
    assert not isinstance(gateway, Refunds)
    assert (gateway.limits.minimum_cents, gateway.limits.maximum_cents) == (100, 50_000)
    assert gateway.limits.requires_email
    assert gateway.form_origin == "https://www.payfip.gouv.fr"
    assert {20, 24 * 60, 7 * 24 * 60} <= set(gateway.polling.ages_minutes)
    assert list(gateway.polling.ages_minutes) == sorted(gateway.polling.ages_minutes)
    assert gateway.polling.expires_minutes == gateway.limits.session_minutes == 20


def test_the_settings_can_be_tried(says: Ask, asked: list[bytes]) -> None:
    known = answer("recupererDetailClient", libelleN1="VILLE", libelleN2="", numcli=NUMCLI)
    assert says(known).check() == []
    assert leaves(asked[0]) == {"numCli": NUMCLI}
    for said in (fault("T2"), known.replace(b"006382", b"006383"), Unreachable("en panne")):
        (found,) = says(said).check()
        assert found.startswith("gateways.tresor : ")


def test_nothing_is_fetched_when_the_site_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> bytes:
        raise AssertionError("the network was used")

    monkeypatch.setattr(soap, "post_soap", never)
    assert configure("t", TABLE, environment="test").name == "t"
