"""What the mock bank checks, keeps and says: the other end of Lyra's hosted form.

It stands for a shop in TEST mode whose back office has every notification rule switched on.
Card numbers are masked before anything keeps them.
"""

import hashlib
import json
import re
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateways.lyra import EURO, SESSION_EXPIRED, sign
from gateways.sandbox import SITE_ID

SESSION = timedelta(minutes=10)

#: Test card: (what it does, vads_trans_status, vads_result, vads_auth_result).
CARDS = {
    "4970100000000000": ("Paiement accepté", "AUTHORISED", "00", "00"),
    "4970100000000055": ("Refus : provision insuffisante", "REFUSED", "05", "51"),
    "4970100000000099": ("Refus : cryptogramme faux", "REFUSED", "05", "05"),
    "4970100000000001": ("Accepté, à valider par la banque", "AUTHORISED_TO_VALIDATE", "00", "00"),
}

#: How the notice of a payment behaves, chosen on the bank's page.
DELIVERIES = {
    "normal": "Normale",
    "late": "En retard, après le retour du payeur",
    "lost": "Perdue",
    "twice": "Envoyée deux fois",
    "amount": "Montant faux",
    "key": "Signée d’une autre clé",
}

# Field: (pattern, error code of the platform).
_FORMATS = {
    "vads_version": (r"V2", "01"),
    "vads_site_id": (SITE_ID, "02"),
    "vads_trans_id": (r"[0-8][0-9]{5}", "03"),
    "vads_trans_date": (r"[0-9]{14}", "04"),
    "vads_payment_config": (r"SINGLE", "07"),
    "vads_amount": (r"[1-9][0-9]{0,11}", "09"),
    "vads_currency": (EURO, "10"),
    "vads_ctx_mode": (r"TEST", "11"),
    "vads_language": (r"(de|en|es|fr|it|ja|nl|pl|pt|ru|sv|tr|zh)?", "12"),
    "vads_order_id": (r"[A-Za-z0-9_-]{0,64}", "13"),
    "vads_order_info": (r"[^<>]{0,255}", "14"),
    "vads_url_return": (r"(https?://[^<>\s]{1,1000})?", "28"),
    "vads_page_action": (r"PAYMENT", "46"),
    "vads_action_mode": (r"INTERACTIVE", "47"),
    "vads_return_mode": (r"(NONE)?", "48"),
}
_OPTIONAL = {
    "vads_language", "vads_order_id", "vads_order_info", "vads_url_return", "vads_return_mode",
}  # fmt: skip

_TABLES = """
CREATE TABLE IF NOT EXISTS burnt (day TEXT, trans_id TEXT, PRIMARY KEY (day, trans_id));
CREATE TABLE IF NOT EXISTS session (
    token TEXT PRIMARY KEY, opened_at TEXT, fields TEXT, state TEXT, tries INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS movement (
    uuid TEXT PRIMARY KEY, token TEXT, at TEXT, notice TEXT);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, token TEXT, at TEXT, source TEXT, status TEXT, answer TEXT);
"""


class FormRejected(Exception):  # the word of the protocol
    """The form is refused before any page is shown; `code` is the platform's error code."""

    def __init__(self, code: str):
        super().__init__(f"error-{code}")
        self.code = code


@dataclass(frozen=True)
class PaymentSession:
    """One opening of the payment page."""

    token: str
    opened_at: datetime
    fields: Mapping[str, str]
    state: str
    tries: int

    @property
    def cents(self) -> int:
        return int(self.fields["vads_amount"])

    @property
    def is_open(self) -> bool:
        return self.state == "open" and datetime.now(UTC) - self.opened_at < SESSION


class Bank:
    """The bank's memory and rules, for one shop."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._database() as database:
            database.executescript(_TABLES)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=5)) as database, database:
            database.row_factory = sqlite3.Row
            yield database

    def open_session(self, fields: Mapping[str, str]) -> PaymentSession:
        """Accept a signed form. Raises FormRejected with the platform's code."""
        signature = fields.get("signature", "")
        if not secrets.compare_digest(sign(fields, self._key).encode(), signature.encode()):
            raise FormRejected("00")
        for name, (pattern, code) in _FORMATS.items():
            value = fields.get(name, "" if name in _OPTIONAL else None)
            if value is None or not re.fullmatch(pattern, value, re.ASCII):
                raise FormRejected(code)
        self._burn(fields["vads_trans_date"], fields["vads_trans_id"])
        token = secrets.token_urlsafe(16)
        kept = {name: value for name, value in fields.items() if name.startswith("vads_")}
        with self._database() as database:
            database.execute(
                "INSERT INTO session (token, opened_at, fields, state) VALUES (?, ?, ?, 'open')",
                (token, datetime.now(UTC).isoformat(), json.dumps(kept)),
            )
        return self.session(token)

    def _burn(self, trans_date: str, trans_id: str) -> None:
        """Check the date against our clock, and that the id is new for its UTC day."""
        try:
            sent_at = datetime.strptime(trans_date, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            raise FormRejected("04") from None
        age = datetime.now(UTC) - sent_at
        if not timedelta(minutes=-150) < age < timedelta(minutes=60):
            raise FormRejected("04")
        try:
            with self._database() as database:
                database.execute("INSERT INTO burnt VALUES (?, ?)", (trans_date[:8], trans_id))
        except sqlite3.IntegrityError:
            raise FormRejected("03") from None

    def session(self, token: str) -> PaymentSession:
        """Raises KeyError when there is none."""
        with self._database() as database:
            row = database.execute("SELECT * FROM session WHERE token = ?", (token,)).fetchone()
        if row is None:
            raise KeyError(token)
        return PaymentSession(
            token,
            datetime.fromisoformat(row["opened_at"]),
            json.loads(row["fields"]),
            row["state"],
            row["tries"],
        )

    def close(self, session: PaymentSession) -> bool:
        """End the session. False when something else ended it first."""
        with self._database() as database:
            changed = database.execute(
                "UPDATE session SET state = 'closed' WHERE token = ? AND state = 'open'",
                (session.token,),
            )
        return changed.rowcount == 1

    def pay(self, session: PaymentSession, card: str) -> dict[str, str]:
        """Try a card. Returns the notice of the result, unsigned. Raises KeyError for a card
        that is not one of ours."""
        _, status, result, auth_result = CARDS[card]
        accepted = result == "00"
        with self._database() as database:
            database.execute(
                "UPDATE session SET tries = tries + 1 WHERE token = ?", (session.token,)
            )
        notice = {
            **_notice(session, status, result),
            "vads_auth_mode": "FULL",
            "vads_auth_number": secrets.token_hex(3) if accepted else "",
            "vads_auth_result": auth_result,
            "vads_card_brand": "CB",
            "vads_card_number": f"{card[:6]}XXXXXX{card[-4:]}",
            "vads_effective_amount": session.fields["vads_amount"],
            "vads_effective_currency": EURO,
            "vads_operation_type": "DEBIT",
            "vads_payment_certificate": secrets.token_hex(20) if accepted else "",
            "vads_sequence_number": str(session.tries + 1),
            "vads_trans_uuid": secrets.token_hex(16),
            "vads_warranty_result": "YES" if accepted else "",
        }
        self._keep(session, notice)
        return notice

    def give_up(self, session: PaymentSession, *, expired: bool) -> dict[str, str]:
        """The payer left, or the session ran out: no transaction exists."""
        notice = _notice(session, "ABANDONED", "17")
        notice["vads_payment_error"] = SESSION_EXPIRED if expired else ""
        return notice

    def operate(self, uuid: str, operation: str) -> tuple[PaymentSession, dict[str, str]]:
        """An operation of the back office: `cancel`, `capture`, `credit`, or `resend`.

        Raises KeyError when there is no such movement or operation.
        """
        with self._database() as database:
            row = database.execute("SELECT * FROM movement WHERE uuid = ?", (uuid,)).fetchone()
        if row is None:
            raise KeyError(uuid)
        session, notice = self.session(row["token"]), json.loads(row["notice"])
        notice |= {
            "resend": {},
            "cancel": {"vads_trans_status": "CANCELLED"},
            "capture": {"vads_trans_status": "CAPTURED"},
            "credit": {
                "vads_operation_type": "CREDIT",
                "vads_trans_id": f"9{secrets.randbelow(100_000):05d}",
                "vads_trans_status": "AUTHORISED",
                "vads_trans_uuid": secrets.token_hex(16),
            },
        }[operation]
        self._keep(session, notice)
        return session, notice

    def signed(self, notice: Mapping[str, str], source: str, *, forged: bool) -> dict[str, str]:
        """A notice as it is posted: with its source, its stamp and its signature."""
        key = self._key[::-1] + b"x" if forged else self._key
        fields = {
            **notice,
            "vads_hash": hashlib.sha256(secrets.token_bytes(16)).hexdigest(),
            "vads_url_check_src": source,
        }
        return {**fields, "signature": sign(fields, key)}

    def log_delivery(self, token: str, source: str, status: str, answer: str) -> None:
        """Keep the first 256 bytes of the shop's answer, as the real platform shows them."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._database() as database:
            database.execute(
                "INSERT INTO delivery (token, at, source, status, answer) VALUES (?, ?, ?, ?, ?)",
                (token, now, source, status, answer[:256]),
            )

    def movements(self) -> list[dict[str, str]]:
        """The latest movements, for the back office."""
        with self._database() as database:
            rows = database.execute("SELECT * FROM movement ORDER BY at DESC LIMIT 50").fetchall()
        return [{"uuid": row["uuid"], **json.loads(row["notice"])} for row in rows]

    def deliveries(self) -> list[sqlite3.Row]:
        """The latest notices sent and their answers."""
        with self._database() as database:
            return database.execute("SELECT * FROM delivery ORDER BY id DESC LIMIT 50").fetchall()

    def _keep(self, session: PaymentSession, notice: Mapping[str, str]) -> None:
        with self._database() as database:
            database.execute(
                "INSERT INTO movement VALUES (?, ?, ?, ?) "
                "ON CONFLICT (uuid) DO UPDATE SET notice = excluded.notice",
                (
                    notice["vads_trans_uuid"],
                    session.token,
                    datetime.now(UTC).isoformat(),
                    json.dumps(notice),
                ),
            )


def _notice(session: PaymentSession, status: str, result: str) -> dict[str, str]:
    """The fields every notice has: ours echoed, many empty, one with quotes, one unheard of."""
    return {
        **session.fields,
        "vads_auth_mode": "MARK",
        "vads_auth_number": "",
        "vads_auth_result": "",
        "vads_bank_label": "Banque de démonstration à l’essai",
        "vads_brand_management": '{"userChoice":false,"brandList":"CB|VISA","brand":"CB"}',
        "vads_card_brand": "",
        "vads_card_country": "FR",
        "vads_card_number": "",
        "vads_contract_used": "5785350",
        "vads_effective_amount": "",
        "vads_effective_currency": "",
        "vads_extra_result": "",
        "vads_field_of_tomorrow": "1",
        "vads_payment_certificate": "",
        "vads_payment_src": "EC",
        "vads_result": result,
        "vads_sequence_number": "1",
        "vads_trans_status": status,
        "vads_trans_uuid": "",
        "vads_validation_mode": "0",
        "vads_warranty_result": "",
    }
