"""Every value that the régisseur reads has its French words."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from kiosque.db.states import CounterMode
from kiosque.payments.words import (
    ADVICE,
    ATTEMPT_STATES,
    COUNTER_MODES,
    FACT_SOURCES,
    INVOICE_STATES,
    REPAYMENT_KINDS,
    REPAYMENT_STATES,
    VERDICTS,
)
from kiosque.settings.rules import MODES


def test_each_way_to_pay_at_the_counter_may_be_one_of_a_regies_settings() -> None:
    assert set(MODES) == {mode.value for mode in CounterMode}


@pytest.mark.parametrize(
    "table",
    [
        ADVICE,
        ATTEMPT_STATES,
        COUNTER_MODES,
        FACT_SOURCES,
        INVOICE_STATES,
        REPAYMENT_KINDS,
        REPAYMENT_STATES,
        VERDICTS,
    ],
)
def test_each_machine_value_has_words_of_its_own(table: Mapping[StrEnum, str]) -> None:
    assert set(table) == set(type(next(iter(table))))
    assert all(table.values())
    assert len(set(table.values())) == len(table)
