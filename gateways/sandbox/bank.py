"""The data and the rules of the mock bank: the other end of Lyra's hosted form.

It holds one shop in TEST mode, whose back office has every notification rule switched on. Card
numbers are masked before they are kept.
"""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from gateways.lyra import EURO, SESSION_EXPIRED, sign
from gateways.sandbox.cards import CARDS, network
from gateways.sandbox.forms import FormRejected, check_form
from gateways.sandbox.movements import CardMovement
from gateways.sandbox.session import PaymentSession
from gateways.sandbox.store import Store

_TABLES = """
CREATE TABLE IF NOT EXISTS burnt (day TEXT, trans_id TEXT, PRIMARY KEY (day, trans_id));
CREATE TABLE IF NOT EXISTS session (
    token TEXT PRIMARY KEY, opened_at TEXT, fields TEXT, state TEXT, tries INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS movement (
    uuid TEXT PRIMARY KEY, token TEXT, at TEXT, notice TEXT, parent TEXT DEFAULT '');
CREATE TABLE IF NOT EXISTS shop_key (key TEXT, shared TEXT, at TEXT);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, token TEXT, at TEXT, source TEXT, status TEXT, answer TEXT);
"""


class Bank:
    """The sessions, transactions and key of the one shop."""

    def __init__(self, store: Store, key: bytes) -> None:
        self._database = store.connection
        self._key = key
        with self._database() as database:
            database.executescript(_TABLES)
            columns = {row["name"] for row in database.execute("PRAGMA table_info(movement)")}
            if "parent" not in columns:  # the file of a demo older than refunds
                database.execute("ALTER TABLE movement ADD COLUMN parent TEXT DEFAULT ''")

    def key(self) -> bytes:
        """Return the shop's key: that of the last change, else the one shared at the start.

        If the bank was started since with a new shared key, that one wins.
        """
        with self._database() as database:
            row = database.execute("SELECT * FROM shop_key ORDER BY rowid DESC LIMIT 1").fetchone()
        shared = self._key.decode()
        return row["key"].encode() if row and shared in (row["key"], row["shared"]) else self._key

    def change_key(self) -> None:
        """Draw another key, in force at once: forms signed with the former one are refused."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        row = (secrets.token_hex(16), self._key.decode(), now)
        with self._database() as database:
            database.execute("INSERT INTO shop_key VALUES (?, ?, ?)", row)

    def open_session(self, fields: Mapping[str, str]) -> PaymentSession:
        """Open a session for a signed form. Raises FormRejected."""
        kept = check_form(fields, self.key())
        token = secrets.token_urlsafe(16)
        day, trans_id = kept["vads_trans_date"][:8], kept["vads_trans_id"]
        try:
            with self._database() as database:
                database.execute("INSERT INTO burnt VALUES (?, ?)", (day, trans_id))
                database.execute(
                    "INSERT INTO session (token, opened_at, fields, state) "
                    "VALUES (?, ?, ?, 'open')",
                    (token, datetime.now(UTC).isoformat(), json.dumps(kept)),
                )
        except sqlite3.IntegrityError:
            raise FormRejected("03", "vads_trans_id") from None
        return self.session(token)

    def session(self, token: str) -> PaymentSession:
        """Return the session of a token. Raises KeyError."""
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
        """End the session. Return False if it was already ended."""
        with self._database() as database:
            changed = database.execute(
                "UPDATE session SET state = 'closed' WHERE token = ? AND state = 'open'",
                (session.token,),
            )
        return changed.rowcount == 1

    def pay(self, session: PaymentSession, card: str) -> dict[str, str]:
        """Try a card; return the notification of the result, unsigned. Raises KeyError."""
        tried = CARDS[card]
        accepted, now = tried.result == "00", datetime.now(UTC)
        brand = network(tried, session.fields)
        choice = {"userChoice": False, "brandList": "|".join(tried.brands), "brand": brand}
        notice = {
            **_notice(session, tried.status, tried.result),
            "vads_auth_mode": "FULL",
            "vads_auth_number": secrets.token_hex(3) if accepted else "",
            "vads_auth_result": tried.auth_result,
            "vads_brand_management": json.dumps(choice, separators=(",", ":")),
            "vads_card_brand": brand,
            "vads_card_number": f"{card[:6]}XXXXXX{card[-4:]}",
            "vads_effective_amount": session.fields["vads_amount"],
            "vads_effective_creation_date": f"{now:%Y%m%d%H%M%S}",
            "vads_effective_currency": EURO,
            "vads_operation_type": "DEBIT",
            "vads_payment_certificate": secrets.token_hex(20) if accepted else "",
            "vads_presentation_date": f"{now:%Y%m%d%H%M%S}",
            "vads_sequence_number": str(session.tries + 1),
            "vads_trans_uuid": secrets.token_hex(16),
            "vads_warranty_result": "YES" if accepted else "",
        }
        with self._database() as database:
            database.execute(
                "UPDATE session SET tries = tries + 1 WHERE token = ?", (session.token,)
            )
            _keep(database, CardMovement(notice["vads_trans_uuid"], session.token, now, notice))
        return notice

    def give_up(self, session: PaymentSession, *, expired: bool) -> dict[str, str]:
        """Return the notification of a payer who left, or of a session that ran out, unsigned.

        No transaction exists.
        """
        notice = _notice(session, "ABANDONED", "17")
        notice["vads_payment_error"] = SESSION_EXPIRED if expired else ""
        return notice

    def operate(self, uuid: str, make: Callable[[CardMovement], CardMovement]) -> CardMovement:
        """Keep the transaction that `make` returns for this one; one operation at a time.

        Raises KeyError if there is no such transaction, and the errors of `make`.
        """
        with self._database() as database:
            database.execute("BEGIN IMMEDIATE")
            made = make(_find(database, "movement.uuid = ?", uuid)[uuid])
            _keep(database, made)
        return made

    def movement(self, uuid: str) -> CardMovement:
        """Return a transaction. Raises KeyError."""
        with self._database() as database:
            return _find(database, "movement.uuid = ?", uuid)[uuid]

    def movements_of(self, order_id: str) -> list[CardMovement]:
        """Return every transaction of an order, the oldest first."""
        with self._database() as database:
            order = "json_extract(movement.notice, '$.vads_order_id') = ?"
            return list(_find(database, order, order_id).values())

    def movements(self) -> list[CardMovement]:
        """Return the latest transactions, the newest first."""
        latest = "movement.rowid IN (SELECT rowid FROM movement ORDER BY at DESC LIMIT ?)"
        with self._database() as database:
            return list(_find(database, latest, 50).values())[::-1]

    def signed(self, notice: Mapping[str, str], source: str, *, forged: bool) -> dict[str, str]:
        """Return a notification as it is posted, with its source, its hash and its signature.

        With `forged`, another key signs it.
        """
        key = self.key()
        key = key[::-1] + b"x" if forged else key
        fields = {
            **notice,
            "vads_hash": hashlib.sha256(secrets.token_bytes(16)).hexdigest(),
            "vads_url_check_src": source,
        }
        return {**fields, "signature": sign(fields, key)}

    def way_back(self, session: PaymentSession, notice: Mapping[str, str] | None = None) -> str:
        """Return the address where to send the payer back, "" if the form gives none.

        If the shop wants a return by GET, the address holds the result, `notice` or that of the
        last card, signed, without the fields that only a notification has.
        """
        address = session.fields.get("vads_url_return", "")
        notice = notice or self._last_notice(session)
        if not address or not notice or session.fields.get("vads_return_mode") != "GET":
            return address
        signed = {**notice, "signature": sign(notice, self.key())}
        return f"{address}{'&' if '?' in address else '?'}{urlencode(signed)}"

    def _last_notice(self, session: PaymentSession) -> Mapping[str, str] | None:
        with self._database() as database:
            tried = list(_find(database, "movement.token = ?", session.token).values())
        return tried[-1].notice if tried else None

    def log_delivery(self, token: str, source: str, status: str, answer: str) -> None:
        """Keep the first 256 bytes of the shop's answer, as the real platform shows them."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._database() as database:
            database.execute(
                "INSERT INTO delivery (token, at, source, status, answer) VALUES (?, ?, ?, ?, ?)",
                (token, now, source, status, answer[:256]),
            )

    def deliveries(self) -> list[sqlite3.Row]:
        """Return the latest notifications sent and their answers."""
        with self._database() as database:
            return database.execute("SELECT * FROM delivery ORDER BY id DESC LIMIT 50").fetchall()


def _find(database: sqlite3.Connection, where: str, value: object) -> dict[str, CardMovement]:
    """Return transactions by id, the oldest first, each with what was given back of it."""
    rows = database.execute(
        f"SELECT * FROM movement WHERE {where} ORDER BY at, rowid",  # noqa: S608  # our own words
        (value,),
    ).fetchall()
    return {row["uuid"]: _movement(row, _returned(database, row["uuid"])) for row in rows}


def _returned(database: sqlite3.Connection, uuid: str) -> int:
    """Return the cents that refunds have given back of a debit."""
    rows = database.execute("SELECT * FROM movement WHERE parent = ?", (uuid,)).fetchall()
    return sum(refund.cents for refund in map(_movement, rows) if refund.is_returned)


def _movement(row: sqlite3.Row, returned_cents: int = 0) -> CardMovement:
    return CardMovement(
        row["uuid"],
        row["token"],
        datetime.fromisoformat(row["at"]),
        json.loads(row["notice"]),
        row["parent"],
        returned_cents,
    )


def _keep(database: sqlite3.Connection, movement: CardMovement) -> None:
    database.execute(
        "INSERT INTO movement (uuid, token, at, notice, parent) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (uuid) DO UPDATE SET notice = excluded.notice",
        (
            movement.uuid,
            movement.token,
            movement.created_at.isoformat(),
            json.dumps(dict(movement.notice)),
            movement.parent,
        ),
    )


def _notice(session: PaymentSession, status: str, result: str) -> dict[str, str]:
    """Return the fields of every notification: those of the form, then the bank's own.

    As on the real platform, many are empty, one holds quotes, one is not documented.
    """
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
