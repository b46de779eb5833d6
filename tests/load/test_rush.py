"""A rush of a few families, in the suite; `make rush` plays the long one."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from tests.load import books
from tests.load.family import Tally
from tests.load.rush import Rush
from tests.load.site import Site, open_site

pytestmark = pytest.mark.proof

FAMILIES, SECONDS = 8, 2


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Rush]]:
    """A town after its rush."""
    with open_site(tmp_path_factory.mktemp("rush"), FAMILIES + 3) as site:
        rush = Rush(site)

        async def play() -> tuple[Tally, Tally]:
            calm = await rush.one_at_a_time(2)
            return calm, (await rush.play(FAMILIES, SECONDS))[0]

        # In a thread: Playwright's own loop may be running in this one.
        with ThreadPoolExecutor(1) as apart:
            calm, tally = apart.submit(lambda: asyncio.run(play())).result()
        assert not {**calm.errors, **tally.errors}
        yield site, rush


def test_every_family_of_a_rush_has_paid_once_and_holds_its_receipt(
    played: tuple[Site, Rush],
) -> None:
    site, rush = played
    assert len(rush.receipts) == FAMILIES + 2
    found = books.look(site, rush.receipts)
    assert (found.payments, found.faults) == (FAMILIES + 2, [])


def test_a_payment_that_nobody_made_would_be_seen(played: tuple[Site, Rush]) -> None:
    """Were an invoice paid without a debit, or a debit without its invoice."""
    site, rush = played
    number = next(iter(rush.receipts.values()))[0]
    connection = apsw.Connection(str(Path(site.folder) / "kiosque.sqlite3"))
    with connection:
        connection.execute(
            "UPDATE invoice SET state = 'open', paid_cents = 0 WHERE number = ?", (number,)
        )
    connection.close()
    assert any(number in fault for fault in books.look(site, rush.receipts).faults)
