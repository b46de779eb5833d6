"""Targets of fuzzing: each takes bytes, and raises AssertionError where a promise is broken.

Nothing here needs pytest: `run.py` feeds these targets what a fuzzer makes up, `test_corpus.py`
what it found worth keeping. A target that waits for a signature, or for JSON of some depth, takes
lines `name=value` that change a genuine message, besides messages made up wholly.
"""

import io
import itertools
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast
from unittest import mock
from urllib.parse import parse_qsl, urlencode

from urllib3.util import connection

from gateways.base import Declined, Handoff, Outcome, RefundRequest, Unreachable
from gateways.lyra import LyraRestGateway, Shop, sign
from gateways.registry import configure as configure_gateway
from kiosque import create_app, db
from kiosque.db.models import BankMessage, Family, ImportBatch, Invoice, InvoiceLine, Service
from kiosque.invoices import imports
from kiosque.invoices.imports import BadFile, codes
from kiosque.invoices.imports.codes import Named
from kiosque.language import clock
from kiosque.payments import Purchase, start, verification
from kiosque.settings import Mail, Payment, Regie, Settings, Town
from kiosque.statements.reading import read as read_statement
from kiosque.statements.records import Unit, UnreadableFile
from tests.bank import KEY, ORDER, envelope, notice, order_answer, transaction

NOW = datetime(2026, 11, 24, 19, 30, tzinfo=UTC)
Target = Callable[[bytes], None]
Tables = dict[str, list[Any]]


class Base:
    """A database made once and copied for each input, which so depends on no other."""

    def __init__(self, folder: Path, fill: Callable[[], None]) -> None:
        self._pristine = folder / "pristine.sqlite3"
        self.path = folder / "kiosque.sqlite3"
        with mock.patch.object(clock, "now", return_value=NOW):
            db.configure(self._pristine)
            with db.connection():
                db.migrate()
                fill()
                self.before = tables()

    def renew(self) -> None:
        db.database.close()  # kept from the request before, to a file about to be replaced
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(self._pristine, self.path)
        db.configure(self.path)


def tables() -> Tables:
    names = db.database.get_tables()
    return {
        name: sorted(db.database.execute_sql(f'SELECT * FROM "{name}"'), key=repr) for name in names
    }


def changes(text: str) -> list[tuple[str, str]]:
    pairs = (line.partition("=") for line in text.split("\n") if "=" in line)
    return [(name, value) for name, _, value in pairs]


# --- The notification endpoint ---


def notification(folder: Path) -> Target:
    """Any bytes posted where the bank posts: never a failure of ours; one audit row; unless the
    signature is right, nothing else changed; and if it is, books that still agree.

    The first line says how: the content type for a body as it comes, or `signed` for a genuine
    notice changed then signed by the bank, `forged` for one changed after it was signed.
    """
    settings = _settings(folder)
    gateway = configure_gateway("banque", settings.gateways["banque"], environment="test")
    handoffs: list[Handoff] = []
    base = Base(folder, lambda: handoffs.append(_open_payment(gateway)))
    client = create_app(settings).test_client()
    genuine = notice(handoffs[0])

    def one(data: bytes) -> None:
        first, _, rest = data.partition(b"\n")
        kind = first.decode("latin-1")
        if kind in ("signed", "forged"):
            fields = _change_notice(genuine, rest.decode(errors="replace"), resign=kind == "signed")
            kind, rest = "application/x-www-form-urlencoded", urlencode(fields).encode()
        base.renew()
        with mock.patch.object(clock, "now", return_value=NOW):
            kind = kind if kind.isprintable() else ""
            answer = client.post("/paiement/notification/banque", data=rest, content_type=kind)
            with db.connection():
                after = tables()
                rows = [row.accepted for row in BankMessage.select()]
                faults = verification.faults() if answer.status_code == 200 else []
        assert answer.status_code in (200, 400, 413), answer.status
        assert rows == [answer.status_code == 200], rows
        assert answer.status_code != 200 or _is_signed(rest), "believed without a signature"
        kept = {"bank_message", "message_count"}
        assert answer.status_code == 200 or _differing(base.before, after) <= kept
        assert not faults, faults

    return one


def _settings(folder: Path) -> Settings:
    return Settings(
        environment="test",
        secret_key="k" * 43,
        public_url="http://127.0.0.1:8000",
        database="",
        data=folder,
        town=Town("Ville de Sautron", "enfance@sautron.example.org", "info@sautron.example.org"),
        regie=Regie("Régie Enfance", "Dominique Aubry", "regie@sautron.example.org"),
        payment=Payment(gateway="banque"),
        mail=Mail(sender="kiosque@sautron.example.org"),
        gateways={"banque": {"adapter": "lyra", "site_id": "12345678", "test_key": KEY}},
    )


def _open_payment(gateway: Any) -> Handoff:
    """Alice's family is at the bank with two invoices, under a reference always the same."""
    family = _family("F1001")
    _invoice(family, "2026-10-0001", 4520)
    _invoice(family, "2026-09-0001", 4225)
    purchase = Purchase(family, ["2026-10-0001", "2026-09-0001"], 8745, "alice@example.org")
    with (
        mock.patch("secrets.token_hex", return_value="0123456789abcdef01"),
        mock.patch("secrets.randbelow", return_value=421),
    ):
        return start(purchase, gateway, "http://127.0.0.1:8000")[1]


def _family(code: str) -> Family:
    return Family.create(code=code, name="Martin", updated_on=date(2026, 11, 5))


def _invoice(family: Family, number: str, cents: int) -> None:
    batch = ImportBatch.get_or_none() or ImportBatch.create(
        file_name="essai.csv",
        sha256="0" * 64,
        kind="factures",
        row_count=1,
        added_count=1,
        imported_at=NOW,
    )
    name = "Restauration scolaire"
    service = Service.get_or_none() or Service.create(name=name)
    invoice = Invoice.create(
        number=number,
        family=family,
        batch=batch,
        issued_on=date(2026, 11, 5),
        due_on=date(2026, 11, 30),
        period="octobre 2026",
        services=name,
        children="Léa Martin",
        total_cents=cents,
        digest=number,
    )
    InvoiceLine.create(
        invoice=invoice,
        child="Léa Martin",
        service=service,
        label="Repas",
        quantity_hundredths=100,
        unit_price_cents=cents,
        amount_cents=cents,
    )


def _change_notice(genuine: Mapping[str, str], text: str, *, resign: bool) -> dict[str, str]:
    """The notice with fields changed, or taken out where the line says `name=None`."""
    fields = dict(genuine)
    for name, value in changes(text):
        if value == "None":
            fields.pop(name, None)
        else:
            fields[name] = value
    return {**fields, "signature": sign(fields, KEY.encode())} if resign else fields


def _is_signed(body: bytes) -> bool:
    fields = dict(parse_qsl(body.decode("ascii", errors="replace"), keep_blank_values=True))
    return sign(fields, KEY.encode()) == fields.get("signature")


def _differing(before: Tables, after: Tables) -> set[str]:
    return {name for name in before if before[name] != after[name]}


# --- The importers ---


def _fill_for_importing() -> None:
    family = _family("F1001")
    _invoice(family, "2026-10-0001", 4520)
    for reference in ("", "FAM000501", "F1001"):
        alice = Named(reference, "MARTIN ALICE", "1 RUE DES LILAS", "44880 SAUTRON")
        codes.confirm({alice: "F1001"}, "essai")


def importing(folder: Path) -> Target:
    """Any bytes loaded as a file: a refusal that changes nothing, or a success that a check
    before had foretold and that, done again, adds nothing."""

    base = Base(folder, _fill_for_importing)
    path = folder / "fichier.csv"

    def load(*, preview: bool = False) -> imports.FileSummary | None:
        try:
            return imports.load(
                path, pdf_folder=folder / "pdf", closes_after_days=45, preview=preview
            )
        except BadFile:
            return None

    def one(data: bytes) -> None:
        path.write_bytes(data)
        base.renew()
        with mock.patch.object(clock, "now", return_value=NOW), db.connection():
            foretold = load(preview=True)
            assert tables() == base.before, "a check changed the database"
            done = load()
            assert done == foretold, "a check foretold something else"
            if done is None:
                assert tables() == base.before, "a refused file changed the database"
                return
            loaded = tables()
            again = load()
            assert again, "a file loaded once is refused"
            assert again.added == 0
            assert _differing(loaded, tables()) <= {"import_batch", "sqlite_sequence"}
            assert not (faults := verification.faults()), faults

    return one


# --- The answers of the REST service ---

SHOP = Shop(
    "12345678",
    "TEST",
    KEY.encode(),
    "https://form.example.org",
    "http://api.example.org",
    "testpassword_Xq8wLz3RvT6nKp2MBd5yHs9J",
    in_clear=True,
)
_REFUND = RefundRequest(str(transaction(ORDER)["uuid"]), 8745, 0, "KFR01")


class _Line:
    """A connection on which the bank says what it is told to, whatever it was asked."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._said)

    def settimeout(self, _seconds: float) -> None: ...

    def sendall(self, _data: bytes) -> None: ...

    def shutdown(self, _how: int) -> None: ...

    def close(self) -> None: ...


def answers(_folder: Path) -> Target:
    """Any bytes heard from the bank: reports about our order, or a refusal to believe them.

    The first line says what: `http` for a whole answer as it comes, `json` for its body, the
    name of a service for a genuine answer of that service with values changed.
    """
    shop = LyraRestGateway("banque", "Banque", SHOP)
    calls = (
        lambda: shop.poll(ORDER),
        lambda: shop.refund(ORDER, _REFUND),
        shop.check,
    )

    def one(data: bytes) -> None:
        first, _, rest = data.partition(b"\n")
        said = rest if first == b"http" else _as_http(_body(first.decode("latin-1"), rest))
        for call in calls:
            with mock.patch.object(connection, "create_connection", return_value=_Line(said)):
                try:
                    found = cast("list[Any]", call())
                except (Unreachable, Declined):
                    continue
            for each in found:
                assert isinstance(each, str) or _is_sound(each), each

    return one


def _as_http(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _body(service: str, rest: bytes) -> bytes:
    genuine: dict[str, Any] = {
        "Order/Get": order_answer(ORDER, transaction(ORDER), transaction(ORDER, uuid="f" * 32)),
        "Transaction/CancelOrRefund": transaction(ORDER, detailedStatus="CANCELLED"),
    }
    if service not in genuine:
        return rest
    told = envelope(service, genuine[service])
    for path, value in changes(rest.decode(errors="replace")):
        _put(told, path.split("."), value)
    return json.dumps(told).encode(errors="surrogatepass")


def _put(told: Any, path: list[str], value: str) -> None:
    """Change one value of a tree, where its path leads somewhere; what is not JSON is a text."""
    *above, last = path
    for step in above:
        told = _items(told).get(step)
    if last in _items(told):
        try:
            new = json.loads(value)
        except (ValueError, RecursionError):
            new = value
        told[int(last) if isinstance(told, list) else last] = new


def _items(tree: Any) -> dict[str, Any]:
    if isinstance(tree, list):
        return {str(place): item for place, item in enumerate(tree)}
    return tree if isinstance(tree, dict) else {}


def _is_sound(report: Any) -> bool:
    """About our order, of an amount that may be, without a card's number."""
    texts = list(itertools.chain.from_iterable(report.raw.items()))
    texts += [value for value in asdict(report).values() if isinstance(value, str)]
    return (
        report.reference == ORDER.reference
        and report.outcome in Outcome
        and type(report.cents) is int
        and 0 <= report.cents < 10**12
        and (report.cents > 0 or report.outcome not in (Outcome.PAID, Outcome.REFUNDED))
        and re.fullmatch("[A-Z]{3}", report.currency) is not None
        and re.fullmatch("[0-9a-f]{32}", report.transaction_id) is not None
        and all(text.isprintable() and len(text) <= 255 for text in texts)
    )


# --- The files of a bank ---


def statements(_folder: Path) -> Target:
    """Any bytes given as a bank's file: read or refused, never a failure of ours; what is read adds
    up, and holds no movement of nothing.

    The first byte says what a person answered of the amounts of a journal.
    """

    def one(data: bytes) -> None:
        unit = {b"c": Unit.CENTS, b"e": Unit.EUROS}.get(data[:1])
        try:
            found = read_statement("", data[1:], unit=unit)
        except UnreadableFile:
            return
        assert all(operation.cents for operation in found.operations)
        for told in found.periods:
            cents = [movement.cents for movement in told.movements]
            assert all(cents)
            if told.opening_cents is not None and told.closing_cents is not None:
                assert told.opening_cents + sum(cents) == told.closing_cents

    return one


TARGETS: dict[str, Callable[[Path], Target]] = {
    "notification": notification,
    "imports": importing,
    "answers": answers,
    "statements": statements,
}
