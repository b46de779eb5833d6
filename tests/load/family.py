"""Walk as a family does, from the sign-in page to its receipt, as a browser would."""

import asyncio
import html
import random
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.conftest import csrf_token
from tests.load import town
from tests.load.client import Answer, Broken, Browser, Form

CARD = "4970100000000000"
#: How long a family reads a page: at random between the two. Less than in life.
READS_SECONDS = (0.5, 2.0)
#: After so many tries of one page it gives up, and is counted as an error.
TRIES = 40
#: How many times the page of the return is looked at again, every two seconds.
LOOKS = 30


class GaveUp(Exception):
    """The family could not end what it came for; why."""


@dataclass
class Tally:
    """Sum what all the families of one run met."""

    #: Seconds of each answer that was the one expected, by page.
    seconds: dict[str, list[float]] = field(default_factory=dict)
    #: Answers "come back later", by page and status.
    later: Counter[str] = field(default_factory=Counter)
    #: No answer at all, by page and kind.
    broken: Counter[str] = field(default_factory=Counter)
    #: Anything else: by right there is none.
    errors: Counter[str] = field(default_factory=Counter)
    #: The invoices of each family that holds its receipt.
    done: dict[str, list[str]] = field(default_factory=dict)
    #: When each receipt came, in seconds of a clock.
    ended: list[float] = field(default_factory=list)

    def note(self, page: str, seconds: float) -> None:
        self.seconds.setdefault(page, []).append(seconds)


class Family:
    """One family, in a browser of its own. `hurry` takes out the time that it reads."""

    def __init__(
        self, code: str, url: str, browser: Browser, tally: Tally, *, hurry: bool = False
    ) -> None:
        self._code, self._url, self._browser, self._tally = code, url, browser, tally
        self._hurry = hurry

    async def pay(self) -> None:
        """The whole journey. What happens is in the tally; nothing is raised."""
        try:
            await self.sign_in()
            invoices = await self._choose()
            back = await self._at_the_bank(await self._hand_over(invoices))
            await self._take_receipt(back)
            self._tally.done[self._code] = invoices
            self._tally.ended.append(time.monotonic())
        except GaveUp as reason:
            self._tally.errors[str(reason)] += 1
        finally:
            await self._browser.close()

    async def sign_in(self) -> None:
        """From the sign-in page, its style and script included."""
        page = await self._open("sign-in page", f"{self._url}/connexion")
        for name in re.findall(r'"(/fichiers/[^"]+)"', page.text):
            await self._open("style and script", self._url + name)
        await self._read()
        form = [
            *(("code", self._code), ("password", town.PASSWORD)),
            ("csrf_token", csrf_token(page.text)),
        ]
        await self._open("sign in", f"{self._url}/connexion", form, status=302)

    async def _choose(self) -> list[str]:
        """Tick one or all of the invoices to pay; returns their numbers."""
        page = await self._open("invoices", f"{self._url}/factures")
        await self._read()
        numbers = re.findall(r'name="invoice" value="([^"]+)"', page.text)
        return numbers[: random.randint(1, len(numbers))]

    async def _hand_over(self, invoices: list[str]) -> Answer:
        query = "&".join(f"invoice={number}" for number in invoices)
        page = await self._open("summary", f"{self._url}/paiement/recapitulatif?{query}")
        await self._read()
        form = [
            *(("invoice", number) for number in invoices),
            ("expected_cents", _value(page.text, "expected_cents")),
            ("email", random.choice(("", f"{self._code.lower()}@example.org"))),
            ("csrf_token", csrf_token(page.text)),
        ]
        return await self._open("to the bank", f"{self._url}/paiement/banque", form)

    async def _at_the_bank(self, page: Answer) -> Answer:
        """By the signed form, the card's page and its button; returns the page of the return."""
        address = re.findall(r'<form method="post" action="(http[^"]+)"', page.text)[0]
        fields = re.findall(
            r'<input type="hidden" name="(vads_\w+|signature)" value="([^"]*)">', page.text
        )
        form = [(name, html.unescape(value)) for name, value in fields]
        opened = await self._open("bank: form", address, form, status=303)
        await self._open("bank: card page", opened.location)
        await self._read()
        card = [("card", CARD), ("delivery", "normal")]
        # The notice is heard by the site before the bank answers.
        paid = await self._open(
            "bank: pay, and the notice", f"{opened.location}/carte", card, status=303
        )
        return await self._open("return", paid.location)

    async def _take_receipt(self, back: Answer) -> None:
        for _ in range(LOOKS):
            if found := re.search(r'href="(/recus/[0-9]+)"', back.text):
                await self._read()
                await self._open("receipt", self._url + found[1])
                return
            await asyncio.sleep(2)
            back = await self._open("return", back.url)
        raise GaveUp("return: no receipt")

    async def _open(
        self, page: str, url: str, form: Form | None = None, status: int = 200
    ) -> Answer:
        """The answer expected. A 503 or a 429 that says when to come back is obeyed; where no
        answer came, the family tries again. Raises GaveUp."""
        browser = self._browser
        ask: Callable[[], Awaitable[Answer]] = (
            (lambda: browser.get(url)) if form is None else (lambda: browser.post(url, form))
        )
        for _ in range(TRIES):
            try:
                answer = await ask()
            except Broken as error:
                self._tally.broken[f"{page}: {error}"] += 1
                await asyncio.sleep(random.uniform(2, 4))
                continue
            if answer.status == status:
                self._tally.note(page, answer.seconds)
                return answer
            if answer.status not in (429, 503) or "retry-after" not in answer.headers:
                raise GaveUp(f"{page}: {answer.status} {_title(answer.text)}")
            self._tally.later[f"{page}: {answer.status}"] += 1
            await asyncio.sleep(int(answer.headers["retry-after"]) * random.uniform(1, 1.5))
        raise GaveUp(f"{page}: {TRIES} tries")

    async def _read(self) -> None:
        if not self._hurry:
            await asyncio.sleep(random.uniform(*READS_SECONDS))


def _value(page: str, name: str) -> str:
    return page.partition(f'name="{name}"')[2].partition('value="')[2].partition('"')[0]


def _title(page: str) -> str:
    return page.partition("<title>")[2].partition("</title>")[0]
