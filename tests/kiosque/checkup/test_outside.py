"""Faults beyond this machine are found: the banks, their time, the mail server."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from gateways.base import Unreachable
from gateways.sandbox import SandboxGateway
from kiosque import db, payments
from kiosque.checkup import banks, clocks, smtp
from kiosque.checkup.findings import Level
from kiosque.checkup.installation import Installation as Surveyed
from kiosque.language import clock, formats
from tests import sentences
from tests.closed_ground import proxy_to
from tests.conftest import free_port
from tests.installation import Front, Installation, canned
from tests.kiosque.checkup.conftest import server_tls
from tests.kiosque.checkup.test_machine import LIVE, told
from tests.mailbox import Mailbox

Stand = Callable[..., Front]
Behind = Callable[..., Surveyed]
Settle = Callable[..., Surveyed]

# --- The banks ---


def test_banks_that_answer_to_these_settings_are_well(stand: Stand, behind: Behind) -> None:
    here = behind(stand())
    for name in ("banque", "tresor"):
        result = banks.check_bank(here, name)
        assert (result.level, result.subject) == (Level.GOOD, f"Banque {name}")
        assert sentences.SETTINGS_TAKEN in result.detail
    mute = behind(stand(), KIOSQUE_GATEWAYS_BANQUE_PASSWORD="")
    assert banks.check_bank(mute, "banque").detail.endswith("répond")


def test_banks_behind_the_proxy_of_a_closed_network_are_asked_by_it(
    stand: Stand, behind: Behind, installation: Installation
) -> None:
    bank = urlsplit(installation.bank_url)
    with proxy_to({str(bank.hostname): bank.port or 0}) as proxy:
        by_proxy = {"KIOSQUE_NETWORK_PROXY": f"http://{proxy.address}"}
        here = behind(stand(), **by_proxy)
        assert banks.check_bank(here, "banque").level == Level.GOOD
        assert len(proxy.asked) == 2, "its page, and our settings"
        assert clocks.check_clock(here).level == Level.GOOD
        assert len(proxy.asked) > 2
    closed = banks.check_bank(behind(stand(), **by_proxy), "banque")
    assert all("[network]" in trouble.what + trouble.advice for trouble in closed.troubles)


def test_a_bank_that_refuses_the_password_is_told_without_it(stand: Stand, behind: Behind) -> None:
    password = "testpassword_canari9876543210"
    result = banks.check_bank(behind(stand(), KIOSQUE_GATEWAYS_BANQUE_PASSWORD=password), "banque")
    assert result.level is Level.BROKEN
    assert sentences.SHOP_REFUSED in told(result)
    assert "Comparez [gateways.banque]" in told(result)
    assert "canari" not in told(result)


def test_a_bank_that_cannot_be_reached_is_told_and_one_in_reserve_is_only_looked_at(
    surveyed: Settle,
) -> None:
    here = surveyed()
    broken, reserve = banks.check_bank(here, "banque"), banks.check_bank(here, "tresor")
    assert (broken.level, reserve.level) == (Level.BROKEN, Level.LOOK)
    assert f"127.0.0.1:9 : {sentences.NOBODY_LISTENS}" in told(broken)
    assert sentences.FIREWALL in told(broken)


def test_a_bank_that_the_town_closed_is_told_and_may_be_down_meanwhile(
    stand: Stand, data: Path, surveyed: Settle
) -> None:
    here = surveyed(KIOSQUE_GATEWAYS_BANQUE_URL=stand(faults={"/": canned(503)}).url)
    assert banks.check_bank(here, "banque").level == Level.BROKEN
    with db.connection():
        until = clock.now() + timedelta(hours=3)
        payments.close_bank("banque", "", until, "Dominique")
    result = banks.check_bank(here, "banque")
    assert result.level == Level.LOOK
    (closed,) = [trouble for trouble in result.troubles if "Dominique" in trouble.what]
    assert formats.long_instant(until) in closed.what
    assert "open-bank banque" in closed.advice


def test_a_bank_whose_page_is_down_is_told(stand: Stand, surveyed: Settle) -> None:
    front = stand(faults={"/": canned(503)})
    result = banks.check_bank(surveyed(KIOSQUE_GATEWAYS_BANQUE_URL=front.url), "banque")
    assert f"{sentences.IS_DOWN} (503)" in told(result)


def test_a_stranger_s_adapter_may_raise_what_the_contract_allows(
    stand: Stand, behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(_self: object) -> list[str]:
        raise Unreachable("asleep")

    monkeypatch.setattr(SandboxGateway, "check", check, raising=False)
    here = behind(stand(), KIOSQUE_GATEWAYS_BANQUE_PASSWORD="")
    (trouble,) = banks.check_bank(here, "banque").troubles
    assert trouble.what == "gateways.banque : asleep"


# --- The time ---


def test_our_time_is_the_banks(stand: Stand, behind: Behind, installation: Installation) -> None:
    result = clocks.check_clock(behind(stand()))
    assert result.level is Level.GOOD
    assert sentences.numbers(result.detail.partition(")")[2])[0] < 10
    assert "127.0.0.1" in told(result)
    assert "Paris (tzdata " in told(result)


@pytest.mark.parametrize(
    ("delay", "level", "words"),
    [
        (timedelta(seconds=5), Level.GOOD, r"; [3-9] s"),
        (timedelta(seconds=45), Level.LOOK, rf"{sentences.CLOCK_AHEAD} de 4\d s .* 127"),
        (timedelta(minutes=-11), Level.BROKEN, rf"{sentences.CLOCK_BEHIND} de 1[01] min"),
        (timedelta(hours=5), Level.BROKEN, sentences.WOULD_BE_REFUSED),
    ],
)
def test_a_clock_that_is_off_is_told_before_the_bank_refuses(
    stand: Stand, surveyed: Settle, delay: timedelta, level: Level, words: str
) -> None:
    def theirs(passing: Any) -> None:
        date = format_datetime(datetime.now(UTC) - delay, usegmt=True)
        passing.tell(200, {"Date": date}, b"")

    front = stand(faults={"/": theirs})
    result = clocks.check_clock(surveyed(KIOSQUE_GATEWAYS_BANQUE_URL=front.url))
    assert result.level is level
    assert re.search(words, told(result))
    assert ("timedatectl set-ntp true" in told(result)) == (level is not Level.GOOD)


def test_without_the_time_of_a_bank_ours_is_not_known(stand: Stand, surveyed: Settle) -> None:
    for said in ({}, {"Date": "hier"}, {"Date": "Mon, 32 Nov 2026 99:00:00 GMT"}):
        front = stand(faults={"/": canned(200, **said)})
        assert (
            clocks.check_clock(surveyed(KIOSQUE_GATEWAYS_BANQUE_URL=front.url)).level
            is Level.UNKNOWN
        )


def test_zone_files_that_lie_are_told(surveyed: Settle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosque.checkup.clocks.clock.PARIS", UTC)
    assert sentences.WRONG_PARIS_TIME in told(clocks.check_clock(surveyed()))


# --- Mail ---


def passes(
    _server: Any, _session: Any, _envelope: Any, mechanism: str, data: LoginPassword
) -> AuthResult:
    known = (data.login, data.password) == (b"kiosque", b"canari")
    return AuthResult(success=known, handled=False)


class Picky(Mailbox):
    """A server that welcomes one sender only."""

    senders: tuple[str, ...] = ("kiosque@sautron.example.org",)

    async def handle_MAIL(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if address not in self.senders:
            return "550 5.7.1 canari"
        envelope.mail_from = address
        return "250 OK"


class _Tls(Controller):
    """The library tries a server of TLS by asking it in clear."""

    def _trigger_server(self) -> None:
        self._factory_invoked.set()
        self.smtpd = self.factory()


@dataclass
class Post:
    """Start a mail server, and see the settings that lead to it."""

    surveyed: Settle
    stack: ExitStack

    def at(self, box: Mailbox | None = None, **how: Any) -> dict[str, str]:
        kind = _Tls if "ssl_context" in how else Controller
        port = free_port()
        server = kind(box or Picky(), hostname="127.0.0.1", port=port, **how)
        server.start()
        self.stack.callback(server.stop)
        return {"KIOSQUE_MAIL_HOST": "127.0.0.1", "KIOSQUE_MAIL_PORT": str(port)}


@pytest.fixture
def office(surveyed: Settle) -> Iterator[Post]:
    with ExitStack() as stack:
        yield Post(surveyed, stack)


ACCOUNT = {"KIOSQUE_MAIL_USERNAME": "kiosque", "KIOSQUE_MAIL_PASSWORD": "canari"}
PLAIN = {"KIOSQUE_MAIL_SECURITY": "none"}


@pytest.fixture
def tls(authority: trustme.CA, trusted: Path) -> ssl.SSLContext:
    return server_tls(authority.issue_cert("127.0.0.1"))


def test_a_mail_server_that_takes_us_is_well_and_gets_no_mail(
    office: Post, tls: ssl.SSLContext
) -> None:
    box = Picky()
    # The library does not see that a connection which began encrypted is.
    from_the_start = {"ssl_context": tls, "auth_require_tls": False}
    for how, security in (({"tls_context": tls}, "starttls"), (from_the_start, "tls")):
        where = office.at(box, **how, authenticator=passes)
        result = smtp.check_smtp(
            office.surveyed(**where, **ACCOUNT, KIOSQUE_MAIL_SECURITY=security)
        )
        assert (result.level, told(result)) == (
            Level.GOOD,
            f"127.0.0.1:{where['KIOSQUE_MAIL_PORT']} ({security}) ; {sentences.ACCOUNT_TAKEN}",
        )
    plain = smtp.check_smtp(office.surveyed(**office.at(box), **PLAIN))
    assert told(plain).endswith(f"(none) ; {sentences.NO_ACCOUNT}")
    assert box.raw == []


def test_without_a_server_mails_are_files(surveyed: Settle) -> None:
    result = smtp.check_smtp(surveyed())
    assert result.level is Level.GOOD
    assert "outbox/" in result.detail
    assert smtp.check_smtp(surveyed(KIOSQUE_MAIL_PORT="x")).level is Level.UNKNOWN


def test_a_wrong_password_is_told_without_it(office: Post, tls: ssl.SSLContext) -> None:
    where = office.at(tls_context=tls, authenticator=passes)
    wrong = {**ACCOUNT, "KIOSQUE_MAIL_PASSWORD": "canari2"}
    result = smtp.check_smtp(office.surveyed(**where, **wrong))
    assert result.level is Level.BROKEN
    assert sentences.ACCOUNT_REFUSED in told(result)
    assert "canari" not in told(result)


def test_a_sender_that_is_not_welcome_is_told(office: Post) -> None:
    where = office.at()
    result = smtp.check_smtp(
        office.surveyed(**where, **PLAIN, KIOSQUE_MAIL_SENDER="autre@sautron.example.org")
    )
    assert f"{sentences.SENDER_REFUSED} [mail] sender (réponse 550)" in told(result)
    assert "canari" not in told(result)


def test_a_server_without_tls_or_without_accounts_is_told(office: Post) -> None:
    where = office.at()
    for settings in ({}, {**PLAIN, **ACCOUNT}):
        result = smtp.check_smtp(office.surveyed(**where, **settings))
        (trouble,) = result.troubles
        assert sentences.NO_TLS_HERE in trouble.what
        assert sentences.numbers(trouble.advice) == [587, 465]
    result = smtp.check_smtp(office.surveyed(**where, KIOSQUE_MAIL_SECURITY="tls"))
    assert sentences.TLS_FAILS in told(result)


def test_a_certificate_that_is_not_the_server_s_is_told(
    office: Post, authority: trustme.CA, trusted: Path
) -> None:
    ended = datetime.now(UTC) - timedelta(days=1)
    before = ended - timedelta(days=30)
    cases = {
        sentences.CERTIFICATE_ENDED: authority.issue_cert(
            "127.0.0.1", not_before=before, not_after=ended
        ),
        sentences.CERTIFICATE_OF_ANOTHER: authority.issue_cert("smtp.example.org"),
        sentences.CERTIFICATE_OF_NOBODY: trustme.CA().issue_cert("127.0.0.1"),
    }
    for words, leaf in cases.items():
        result = smtp.check_smtp(office.surveyed(**office.at(tls_context=server_tls(leaf))))
        assert words in told(result)
        assert "[mail] host" in told(result)


@contextmanager
def scripted(said: bytes | None) -> Iterator[dict[str, str]]:
    """A server that says this and no more; with None, nothing, and stays."""
    over = threading.Event()

    def serve() -> None:
        caller, _ = listening.accept()
        with caller:
            if said is None:
                over.wait(20)
            else:
                caller.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        port = str(listening.getsockname()[1])
        try:
            yield {"KIOSQUE_MAIL_HOST": "127.0.0.1", "KIOSQUE_MAIL_PORT": port, **PLAIN}
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"554 5.7.1 canari\r\n", f"{sentences.SERVER_REFUSES} (réponse 554)"),
        (b"", sentences.SERVER_HANGS_UP),
        (b"220 \r\n", sentences.SERVER_HANGS_UP),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "le serveur re"),
        (None, sentences.SERVER_SILENT),
    ],
)
def test_a_server_that_does_not_want_us_is_told(
    surveyed: Settle, monkeypatch: pytest.MonkeyPatch, said: bytes | None, words: str
) -> None:
    monkeypatch.setattr(smtp, "SECONDS", 0.5)
    with scripted(said) as where:
        result = smtp.check_smtp(surveyed(**where))
    assert result.level is Level.BROKEN
    assert words in told(result)
    assert "canari" not in told(result)


def test_a_mail_server_that_is_nowhere_is_told(surveyed: Settle) -> None:
    unknown = smtp.check_smtp(surveyed(KIOSQUE_MAIL_HOST="smtp.invalid"))
    assert sentences.NAME_UNKNOWN in told(unknown)
    closed = smtp.check_smtp(surveyed(KIOSQUE_MAIL_HOST="127.0.0.1", KIOSQUE_MAIL_PORT="9"))
    assert sentences.NOBODY_LISTENS in told(closed)


def test_a_sender_to_whom_nobody_can_answer_is_told_in_production(
    office: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.invalid` is no domain (RFC 6761): the library knows without asking."""
    where = office.at()
    sender = {"KIOSQUE_MAIL_SENDER": "kiosque@ville.invalid"}
    live = {**LIVE, **where, **PLAIN, **sender}
    assert sentences.NO_REPLY_ADDRESS in told(smtp.check_smtp(office.surveyed(**live)))
    rehearsal = smtp.check_smtp(office.surveyed(**where, **PLAIN, **sender))
    assert sentences.NO_REPLY_ADDRESS not in told(rehearsal)
