"""Faults of the mock bank's REST service, chosen in its back office."""

from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Row
from typing import Any

from gateways.sandbox.store import Store

NORMAL = "normal"
LOST = "lost"
FAULTS = {
    NORMAL: "Aucune : elle répond comme il faut",
    "down": "En panne (503)",
    "credentials": "Identifiants refusés (401)",
    "html": "Une page au lieu de données",
    "truncated": "Réponse coupée",
    "redirect": "Redirection",
    "drip": "Réponse au compte-gouttes",
    "hangup": "Connexion coupée, rien n’est fait",
    LOST: "Remboursement fait, mais la réponse se perd",
    "amount": "Montant faux",
    "currency": "Devise fausse",
    "shop": "Autre boutique",
    "order": "Autre commande",
    "mode": "Autre mode (PRODUCTION)",
    "crowd": "Plus de 30 transactions (PSP_015)",
}
CANCEL_OR_REFUND = "Transaction/CancelOrRefund"
#: Calls to which a fault applies: {name: words}.
SCOPES = {
    "all": "Tous les appels",
    "ask": "Les questions",
    "refund": "Les annulations et remboursements",
}
OTHER_SHOP = "87654321"
OTHER_ORDER = "KF" + "f" * 18

_TABLES = """
CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT, scope TEXT, calls_left INTEGER);
CREATE TABLE IF NOT EXISTS call (
    id INTEGER PRIMARY KEY, at TEXT, service TEXT, subject TEXT, outcome TEXT, fault TEXT);
"""


@dataclass(frozen=True)
class ChosenFault:
    """The fault in force, for `calls_left` calls; None means for ever."""

    name: str = NORMAL
    scope: str = "all"
    calls_left: int | None = None


class ChosenFaults:
    """The fault in force and the calls received, both kept in the bank's file."""

    def __init__(self, store: Store) -> None:
        self._database = store.connection
        with self._database() as database:
            database.executescript(_TABLES)

    def choose(self, fault: ChosenFault) -> None:
        with self._database() as database:
            database.execute(
                "INSERT OR REPLACE INTO fault VALUES (1, ?, ?, ?)",
                (fault.name, fault.scope, fault.calls_left),
            )

    def current(self) -> ChosenFault:
        with self._database() as database:
            row = database.execute("SELECT name, scope, calls_left FROM fault").fetchone()
        return ChosenFault(*row) if row else ChosenFault()

    def take(self, service: str) -> str:
        """Return the fault of one call, and count it in `calls_left`."""
        with self._database() as database:
            database.execute("BEGIN IMMEDIATE")
            row = database.execute("SELECT name, scope, calls_left FROM fault").fetchone()
            fault = ChosenFault(*row) if row else ChosenFault()
            if fault.name == NORMAL or not _touches(fault, service):
                return NORMAL
            if fault.calls_left is not None:
                database.execute("UPDATE fault SET calls_left = calls_left - 1")
                database.execute("DELETE FROM fault WHERE calls_left <= 0")
        return fault.name

    def log(self, service: str, subject: str, outcome: str, fault: str) -> None:
        """Keep a call: its service, its order or transaction, its outcome and its fault."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._database() as database:
            database.execute(
                "INSERT INTO call (at, service, subject, outcome, fault) VALUES (?, ?, ?, ?, ?)",
                (now, service[:60], subject[:64], outcome, fault),
            )

    def calls(self) -> list[Row]:
        """Return fifty calls, the latest first."""
        with self._database() as database:
            return database.execute("SELECT * FROM call ORDER BY id DESC LIMIT 50").fetchall()


def _touches(fault: ChosenFault, service: str) -> bool:
    refund = service == CANCEL_OR_REFUND
    if fault.name == LOST or fault.scope == "refund":
        return refund
    return fault.scope == "all" or not refund


def spoil(envelope: dict[str, Any], fault: str) -> dict[str, Any]:
    """Return a copy of the envelope with one lie in it."""
    told = deepcopy(envelope)
    answer = told["answer"]
    if fault == "mode":
        told["mode"] = "PRODUCTION"
    if fault == "order" and answer.get("orderDetails"):
        answer["orderDetails"]["orderId"] = OTHER_ORDER
    if fault == "shop" and "shopId" in answer:
        answer["shopId"] = OTHER_SHOP
    for transaction in answer.get("transactions", [answer] if "uuid" in answer else []):
        _spoil_transaction(transaction, fault)
    return told


def _spoil_transaction(transaction: dict[str, Any], fault: str) -> None:
    details = transaction["transactionDetails"]
    if fault == "amount":
        transaction["amount"] += 100
        details["effectiveAmount"] += 100
    if fault == "currency":
        transaction["currency"] = details["effectiveCurrency"] = "USD"
    if fault == "shop":
        transaction["shopId"] = OTHER_SHOP
    if fault == "order":
        transaction["orderDetails"]["orderId"] = OTHER_ORDER
