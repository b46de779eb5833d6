"""What the régisseur reads has its French words."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

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
