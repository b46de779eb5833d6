"""Deposits (*bordereaux de versement*): what a *régie* pays over to the *comptable*, by mode and by
imputation, and where each service's revenue goes in the town's accounts.

It may import `payments` and what is below; papers render what it gives. The way in: the names
below.
"""

from kiosque.deposits.content import Bordereau
from kiosque.deposits.drafts import DepositDraft, draft
from kiosque.deposits.final import (
    answer,
    answer_of,
    bordereau_of,
    families_of,
    final_covering,
    finalize,
    find,
    latest,
    parse,
    titled,
)
from kiosque.deposits.imputations import Imputed, imputations, set_imputation
from kiosque.deposits.keeping import keep_back, kept_back, kept_of, take_up, to_pay_over
from kiosque.deposits.lost_numbers import lost, named, say_last, unsaid

__all__ = [
    "Bordereau",
    "DepositDraft",
    "Imputed",
    "answer",
    "answer_of",
    "bordereau_of",
    "draft",
    "families_of",
    "final_covering",
    "finalize",
    "find",
    "imputations",
    "keep_back",
    "kept_back",
    "kept_of",
    "latest",
    "lost",
    "named",
    "parse",
    "say_last",
    "set_imputation",
    "take_up",
    "titled",
    "to_pay_over",
    "unsaid",
]
