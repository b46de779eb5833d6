"""The payments of the mock PayFiP, by idop, and the rules of the real one.

Sources: the DGFiP's integration guide (V19) and recorded exchanges. The codes in E and O, which
nobody has recorded, are assumed.
"""

import json
import re
import secrets
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from gateways.base import PARIS
from gateways.sandbox.payfip import MAXIMUM_CENTS, NUMCLI
from gateways.sandbox.store import Store

#: Time within which an idop must be opened.
OPENING = timedelta(minutes=15)
#: Paris hour at which the idops that were never opened are purged.
PURGE = time(2)

#: Endings that the payer may choose: {name: (words, `resultrans`, minutes ago)}.
ENDINGS = {
    "card": ("Carte acceptée", "P", 0),
    "card-refused": ("Carte refusée", "R", 0),
    "debit": ("Prélèvement accepté", "V", 0),
    "debit-refused": ("Prélèvement refusé", "Z", 0),
    "abandon": ("Abandonner", "A", 0),
    "old-abandon": ("Abandonner, il y a dix minutes", "A", 10),
    "leave": ("Partir sans laisser de résultat", "", 0),
}
#: When the service knows the result: {name: words}. Until then, it answers P5.
KNOWN = {"now": "Tout de suite", "later": "Après un temps", "never": "Jamais"}

LABELS = {
    "A1": "Adresse de messagerie absente. ",
    "A2": "Adresse de messagerie incorrecte. ",
    "D1": "URL de redirection incorrecte. ",
    "E1": "Exercice incorrect. ",
    "M1": "Montant incorrect. ",
    "M3": "Montant inférieur à 1 euro. ",
    "M5": "Montant supérieur au maximum. ",
    "N1": "URL de notification incorrecte. ",
    "O1": "Objet incorrect. ",
    "P1": "IdOp incorrect. ",
    "P3": "IdOp déjà utilisé. ",
    "P4": "IdOp expiré. ",
    "P5": "Résultat de la transaction non connu. ",
    "R3": "Référence de la dette incorrecte. ",
    "S1": "Type de saisie incorrect. ",
    "T1": "Numéro de client incorrect. ",
    "T2": "Numéro de client inconnu. ",
}
_URL = re.compile(r"https?://\S{1,240}")

_TABLES = """
CREATE TABLE IF NOT EXISTS idop (
    idop TEXT PRIMARY KEY, token TEXT UNIQUE, created_at TEXT, told TEXT,
    opened INTEGER DEFAULT 0, ending TEXT DEFAULT '', ended_at TEXT DEFAULT '',
    known_at TEXT DEFAULT '', numauto TEXT DEFAULT '');
"""


class Refusal(Exception):
    """The service refuses, by a functional fault; `code` is one of LABELS."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class PayfipPayment:
    """One idop: the values of its creation, and its ending.

    `known_at` is when the service knows the result; None if it never does.
    """

    idop: str
    token: str
    created_at: datetime
    told: Mapping[str, str]
    opened: bool
    ending: str
    ended_at: datetime | None
    known_at: datetime | None
    numauto: str

    @property
    def cents(self) -> int:
        return int(self.told["montant"])

    @property
    def is_open(self) -> bool:
        return not self.ending

    @property
    def words(self) -> str:
        return ENDINGS[self.ending][0] if self.ending else "Créé, sans résultat"


class Treasury:
    """The payments of one *régie* in test mode."""

    def __init__(self, store: Store, unknown_seconds: float) -> None:
        self._database = store.connection
        self._unknown = timedelta(seconds=unknown_seconds)
        with self._database() as database:
            database.executescript(_TABLES)

    def create(self, told: Mapping[str, str]) -> str:
        """Create a payment and return its idop. Raises Refusal."""
        _check(told)
        idop = str(uuid.uuid4())
        with self._database() as database:
            database.execute(
                "INSERT INTO idop (idop, token, created_at, told) VALUES (?, ?, ?, ?)",
                (idop, secrets.token_urlsafe(16), datetime.now(UTC).isoformat(), json.dumps(told)),
            )
        return idop

    def open(self, idop: str) -> PayfipPayment:
        """Open the page of an idop: within OPENING, and once. Raises Refusal."""
        payment = self._find("idop", idop)
        if payment is None:
            raise Refusal("P1")
        if datetime.now(UTC) - payment.created_at > OPENING:
            raise Refusal("P4")
        with self._database() as database:
            changed = database.execute(
                "UPDATE idop SET opened = 1 WHERE idop = ? AND opened = 0", (idop,)
            )
        if changed.rowcount != 1:
            raise Refusal("P3")
        return payment

    def by_token(self, token: str) -> PayfipPayment:
        """Return the payment of a page's token. Raises KeyError."""
        payment = self._find("token", token)
        if payment is None:
            raise KeyError(token)
        return payment

    def end(self, payment: PayfipPayment, ending: str, known: str) -> bool:
        """Give a payment its ending; return False if it had one. `known` is a key of KNOWN."""
        _words, result, minutes = ENDINGS[ending]
        now = datetime.now(UTC)
        when = {"now": now, "later": now + self._unknown}.get(known)
        numauto = {"P": secrets.token_hex(3).upper(), "V": "112233445566-tip"}.get(result, "")
        with self._database() as database:
            changed = database.execute(
                "UPDATE idop SET ending = ?, ended_at = ?, known_at = ?, numauto = ? "
                "WHERE idop = ? AND ending = ''",
                (
                    ending,
                    (now - timedelta(minutes=minutes)).isoformat(),
                    when.isoformat() if when and result else "",
                    numauto,
                    payment.idop,
                ),
            )
        return changed.rowcount == 1

    def result(self, idop: str) -> dict[str, str]:
        """Return the answer about an idop, `resultrans` included. Raises Refusal."""
        payment, now = self._find("idop", idop), datetime.now(UTC)
        if payment is None or (not payment.opened and payment.created_at < _last_purge(now)):
            raise Refusal("P1")
        if payment.known_at is None or payment.ended_at is None or now < payment.known_at:
            raise Refusal("P5")
        local, told = payment.ended_at.astimezone(PARIS), payment.told
        return {
            "dattrans": f"{local:%d%m%Y}",
            "exer": told["exer"][:2],  # cut short, as in the recorded exchanges
            "heurtrans": f"{local:%H%M}",
            "idOp": idop,
            "mel": told["mel"],
            "montant": told["montant"],
            "numauto": payment.numauto,
            "numcli": told["numcli"],
            "objet": told.get("objet", ""),
            "refdet": told["refdet"],
            "resultrans": ENDINGS[payment.ending][1],
            "saisie": told["saisie"],
        }

    def payments(self) -> list[PayfipPayment]:
        """Return the latest payments, the newest first."""
        with self._database() as database:
            rows = database.execute("SELECT * FROM idop ORDER BY rowid DESC LIMIT 50").fetchall()
        return [_payment(row) for row in rows]

    def _find(self, column: str, value: str) -> PayfipPayment | None:
        with self._database() as database:
            row = database.execute(
                f"SELECT * FROM idop WHERE {column} = ?",  # noqa: S608  # our own words
                (value,),
            ).fetchone()
        return _payment(row) if row else None


def check_client(numcli: str) -> None:
    """Raise Refusal for a *régie* that is malformed or unknown."""
    if not re.fullmatch("[0-9]{6}", numcli, re.ASCII):
        raise Refusal("T1")
    if numcli != NUMCLI:
        raise Refusal("T2")


def _check(told: Mapping[str, str]) -> None:
    """Check the values of `creerPaiementSecurise`. Raises Refusal for the first that fails."""
    check_client(told.get("numcli", ""))
    mel, cents = told.get("mel", ""), told.get("montant", "")
    whole = re.fullmatch("[1-9][0-9]{0,8}|0", cents, re.ASCII)
    checks = {
        "E1": re.fullmatch("20[0-9]{2}", told.get("exer", ""), re.ASCII),
        "R3": re.fullmatch("[A-Za-z0-9]{6,30}", told.get("refdet", ""), re.ASCII),
        "O1": re.fullmatch("[A-Za-z0-9 ]{0,100}", told.get("objet", ""), re.ASCII),
        "M1": whole,
        "M3": whole and int(cents) >= 100,
        "M5": whole and int(cents) <= MAXIMUM_CENTS,
        "A1": mel,
        "A2": 6 <= len(mel) <= 80 and re.fullmatch("[!-?A-~]+@[!-?A-~]+", mel, re.ASCII),
        "S1": told.get("saisie") == "T",
        "N1": _URL.fullmatch(told.get("urlnotif", "")),
        "D1": _URL.fullmatch(told.get("urlredirect", "")),
    }
    for code, holds in checks.items():
        if not holds:
            raise Refusal(code)


def _last_purge(now: datetime) -> datetime:
    local = now.astimezone(PARIS)
    tonight = datetime.combine(local.date(), PURGE, PARIS)
    return (tonight if local >= tonight else tonight - timedelta(days=1)).astimezone(UTC)


def _payment(row: sqlite3.Row) -> PayfipPayment:
    return PayfipPayment(
        row["idop"],
        row["token"],
        datetime.fromisoformat(row["created_at"]),
        json.loads(row["told"]),
        bool(row["opened"]),
        row["ending"],
        datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
        datetime.fromisoformat(row["known_at"]) if row["known_at"] else None,
        row["numauto"],
    )
