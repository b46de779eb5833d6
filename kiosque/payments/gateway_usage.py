"""Which gateways still have payments under way.

Each attempt remembers its gateway. A town that moves to another bank keeps the table of the old
one, which goes on being notified and asked, until its last attempt is final.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import Expression, fn

from gateways.base import Polling
from kiosque.db import write
from kiosque.db.models import Anomaly, Attempt, Fact, Invoice, Repayment, Settlement
from kiosque.db.states import (
    UNDECIDED,
    AnomalyKind,
    AttemptState,
    InvoiceState,
    RepaymentState,
    SettlementState,
)
from kiosque.language import clock
from kiosque.payments.anomalies import flag_anomaly, list_again, resolve_by_itself

#: How long an attempt that came to nothing may still have news: another card, a late notification.
NEWS = timedelta(days=1)
#: How long a debit that the bank may undo by itself is followed, where it cannot be asked.
FOLLOWED = timedelta(days=Polling.follow_days)
#: Older payments are hardly ever given back.
REFUNDED_WITHIN = timedelta(days=365)
_OVER = (AttemptState.PAID, AttemptState.REVERSED, AttemptState.REFUNDED)


@dataclass(frozen=True)
class GatewayUsage:
    """The work left to a gateway. `open` counts its attempts that are not final, including those
    with a refund of unknown outcome. `refundable` counts the payments of the last year that it
    could still give back. `last_news_at` is when something was last learnt of one of its
    attempts."""

    name: str
    open: int
    refundable: int
    last_news_at: datetime | None


def gateway_usages(names: Collection[str]) -> list[GatewayUsage]:
    """Return the usage of each of these gateways, and of any other that ever had an attempt."""
    return [_usage_of(name) for name in [*names, *_others(names)]]


def gateways_removed_too_early(names: Collection[str]) -> list[GatewayUsage]:
    """Return the gateways, other than these, that have attempts which are not final: no message
    about them is received any more, and no bank is asked."""
    usages = (_usage_of(name) for name in _others(names))
    return [usage for usage in usages if usage.open]


def _others(names: Collection[str]) -> list[str]:
    """Return in order the gateways, other than these, that ever had an attempt. Find each by one
    look-up in an index: gateways are few, but there may be a million attempts."""
    found, last = [], ""
    while last := Attempt.select(fn.MIN(Attempt.gateway)).where(Attempt.gateway > last).scalar():
        found.append(last)
    return [name for name in found if name not in names]


def is_removed(name: str, names: Collection[str]) -> bool:
    """Return whether this gateway is none of these, but once was one."""
    if name in names:
        return False
    once: bool = Attempt.select().where(Attempt.gateway == name).exists()
    return once


def flag_gateways_removed_too_early(names: Collection[str]) -> list[str]:
    """Put the gateways removed too early on the régisseur's list, once; take off those that are
    back or have nothing under way any more. Return a French sentence about each."""
    found = gateways_removed_too_early(names)
    told = Anomaly.select(Anomaly).join(Attempt)
    still = Attempt.gateway.in_([removed.name for removed in found])
    settled = list(
        told.where(Anomaly.kind == AnomalyKind.UNSERVED, Anomaly.resolved_at.is_null(), ~still)
    )
    if not found and not settled:
        return []
    with write():
        for removed in found:
            _flag_removed_too_early(removed)
        resolve_by_itself(
            Anomaly.id.in_([each.id for each in settled]),
            "passerelle rétablie, ou plus rien d’ouvert",
        )
    return [describe_removed_gateway(removed) for removed in found]


def describe_removed_gateway(removed: GatewayUsage) -> str:
    """Say in French that a gateway was removed too early."""
    return (
        f"passerelle {removed.name} retirée des réglages alors que {removed.open} de ses "
        f"paiements ne sont pas définitifs\u00a0: remettez [gateways.{removed.name}]"
    )


def describe_closed_regies(keys: Collection[str]) -> list[str]:
    """Say in French, for each *régie* other than these that has invoices to pay, that nobody can
    pay them online."""
    others = Invoice.regie.not_in(["", *keys]), Invoice.state == InvoiceState.OPEN
    counted = Invoice.select(Invoice.regie, fn.COUNT(Invoice.id)).where(*others)
    rows: Any = counted.group_by(Invoice.regie).order_by(Invoice.regie).tuples()
    return [
        f"régie {key} retirée des réglages alors que {count} de ses factures sont à régler\u00a0: "
        f"elles ne peuvent plus l’être en ligne, remettez [regies.{key}]"
        for key, count in rows
    ]


def _flag_removed_too_early(removed: GatewayUsage) -> None:
    """Put a gateway on the list, once for all its attempts, by its last one. List it again if it
    was put back, then removed again."""
    last = Attempt.select().where(Attempt.gateway == removed.name).order_by(Attempt.id.desc()).get()
    still = Attempt.select(fn.SUM(Attempt.amount_cents))
    cents = still.where(Attempt.gateway == removed.name, _is_open()).scalar() or 0
    key = f"unserved:{last.reference}"
    flag_anomaly(key, AnomalyKind.UNSERVED, cents, describe_removed_gateway(removed), attempt=last)
    list_again(Anomaly.key == key)


def _usage_of(name: str) -> GatewayUsage:
    own = Attempt.gateway == name
    refundable = Settlement.select().where(
        Settlement.gateway == name,
        Settlement.state == SettlementState.COUNTED,
        Settlement.settled_at > clock.now() - REFUNDED_WITHIN,
    )
    news = Fact.select(Fact.at).join(Attempt).where(own).order_by(Fact.id.desc()).first()
    return GatewayUsage(
        name,
        Attempt.select().where(own, _is_open()).count(),
        refundable.count(),
        news.at if news else None,
    )


def _is_open() -> Expression:
    """Return the condition that an attempt is not final: the bank may have news of it, or be
    asked."""
    now = clock.now()
    undoable = Settlement.select(Settlement.attempt).where(
        Settlement.state == SettlementState.COUNTED, Settlement.final_at.is_null()
    )
    asked = (
        Repayment.select(Settlement.attempt)
        .join(Settlement)
        .where(Repayment.state == RepaymentState.ASKED)
    )
    return (
        Attempt.state.in_(_words(UNDECIDED))
        | Attempt.ask_at.is_null(False)
        | (Attempt.state.not_in(_words(_OVER)) & (Attempt.started_at > now - NEWS))
        | (Attempt.id.in_(undoable) & (Attempt.started_at > now - FOLLOWED))
        | Attempt.id.in_(asked)
    )


def _words(states: Collection[AttemptState]) -> Sequence[str]:
    return sorted(states)
