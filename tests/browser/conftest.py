"""The two real processes, started by `make run`, and a real browser on a phone's screen."""

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import apsw
import pyotp
import pytest
import requests
from click.testing import CliRunner
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from kiosque.cli import main
from kiosque.language import clock
from tests.conftest import free_port
from tests.pages.stage import Seen

ROOT = Path(__file__).parents[2]
INSTALL = "apt-get install chromium"
START_SECONDS = 120
PHONE = {"width": 320, "height": 640}

COLUMNS = (
    "code_famille;numero_facture;date_emission;date_echeance;periode;service;enfant;libelle;"
    "quantite;prix_unitaire;montant;fichier_pdf"
)


@dataclass
class Demo:
    """A running `make run`, and everything it has printed."""

    data: Path
    port: int
    bank_port: int
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def bank_url(self) -> str:
        return f"http://127.0.0.1:{self.bank_port}"

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def accounts(self) -> list[tuple[str, str]]:
        return re.findall(r"code famille : (\S+)  mot de passe : (\S+)", self.output)

    def code_of(self, email: str, key: str) -> str:
        """Give an agent's code, as a telephone does; let one serve twice, so that no test waits."""
        with closing(apsw.Connection(str(self.data / "kiosque.sqlite3"))) as base:
            base.set_busy_timeout(10_000)
            base.execute("UPDATE staff SET last_counter = 0 WHERE email = ?", (email,))
        return pyotp.TOTP(key).now()

    def command(self, *arguments: str) -> str:
        """Run `python app.py ...` on this demo's database, without a new Python: it costs a
        second."""
        ours = {name: None for name in os.environ if name.startswith("KIOSQUE_")}
        env = {**ours, **environment(self.data)}
        done = CliRunner().invoke(main, arguments, env=env)
        assert done.exit_code == 0, done.output
        return done.stdout

    @contextmanager
    def broken_bank(self, fault: str) -> Iterator[None]:
        """For a while, the bank's REST service breaks down so."""
        self._break(fault)
        try:
            yield
        finally:
            self._break("normal")

    def silent_bank(self) -> AbstractContextManager[None]:
        """For a while, the bank answers no question: its notices alone tell what happened."""
        return self.broken_bank("down")

    def _break(self, fault: str) -> None:
        """Set a fault as its control page does."""
        with requests.Session() as http:
            http.trust_env = False
            form = {"fault": fault, "scope": "all"}
            http.post(f"{self.bank_url}/pannes", data=form, timeout=10).raise_for_status()

    def stop(self) -> int:
        """Ctrl-C, as a terminal sends it: to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)


def environment(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KIOSQUE_")}
    return {**kept, "KIOSQUE_DATA": str(data), "SANDBOX_LATE_SECONDS": "3", "MAKEFLAGS": ""}


def start_demo(data: Path, *options: str) -> Demo:
    """`make run`, until it says it is ready."""
    port, bank_port = free_port(), free_port()
    process = subprocess.Popen(
        ["make", "run", f"PORT={port}", f"BANK_PORT={bank_port}", *options],
        cwd=ROOT,
        env=environment(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    demo, ready = Demo(data, port, bank_port, process), threading.Event()

    def read() -> None:
        assert process.stdout
        with process.stdout:
            for line in process.stdout:
                demo.lines.append(line)
                if line.startswith("prêt"):
                    ready.set()
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    assert ready.wait(START_SECONDS), demo.output
    assert process.poll() is None, demo.output
    return demo


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The newcomer's first `make run`, stopped by Ctrl-C once ready."""
    demo = start_demo(tmp_path_factory.mktemp("demo"))
    demo.stop()
    return demo


@pytest.fixture(scope="session")
def town(first_run: Demo) -> Iterator[Demo]:
    """The second `make run`, on what the first left: the one the tests visit."""
    demo = start_demo(first_run.data)
    yield demo
    demo.stop()


@dataclass(frozen=True)
class Household:
    code: str
    password: str
    invoices: tuple[str, str]


@pytest.fixture
def household(town: Demo, tmp_path: Path) -> Callable[[str], Household]:
    """A new family with two invoices, of 45,20 and 42,25 euros, loaded as the town would."""

    def make(code: str) -> Household:
        numbers = (f"{code}-1", f"{code}-2")
        dates = f"{clock.today()};{clock.today() + timedelta(days=90)}"
        rows = [
            f"{code};{numbers[0]};{dates};2026-09;Restauration;Zoé;Repas;10;4,52;45,20;",
            f"{code};{numbers[1]};{dates};2026-10;Mercredi;Zoé;Journées;5;8,45;42,25;",
        ]
        path = tmp_path / f"{code}.csv"
        path.write_text("\n".join([COLUMNS, *rows, ""]), encoding="utf-8")
        town.command("import", "--new-families", str(path))
        shown = town.command("password", "--final", code)
        return Household(code, shown.split()[-1], numbers)

    return make


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; where it is missing, skipped with the command that installs it."""
    # The first is the same engine without its windows: a journey costs it about half.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        message = f"Chromium est absent : {INSTALL}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=options)
        yield chromium
        chromium.close()


class Town(Protocol):
    """Where a site answers, and its bank."""

    @property
    def url(self) -> str: ...
    @property
    def bank_url(self) -> str: ...


class Visitor:
    """A person at a page, who notices what a browser complains about."""

    def __init__(self, page: Page, town: Town) -> None:
        self.page = page
        self.town = town
        page.set_default_timeout(10_000)
        self.complaints: list[str] = []
        self.outside: list[str] = []
        page.on("console", lambda message: self._listen(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._watch(request.url))

    def _listen(self, kind: str, text: str) -> None:
        # A page that answers 4xx on purpose is also reported; that is no fault of the page.
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self.complaints.append(text)

    def _watch(self, url: str) -> None:
        if not url.startswith((self.town.url, self.town.bank_url, "data:")):
            self.outside.append(url)

    def look(self) -> None:
        """Check what must hold of any page, once it is there."""
        self.page.wait_for_load_state()
        wider = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{self.page.url} scrolls sideways by {wider} px"
        assert self.page.locator("h1").count() == 1
        assert self.complaints == []
        assert self.outside == []

    def follow(self, selector: str) -> None:
        """Click what leads to another page, and look at that one: a click waits for none."""
        with self.page.expect_navigation():
            self.page.click(selector)
        self.look()

    def sign_in(self, family: Household) -> None:
        self.page.goto(f"{self.town.url}/connexion")
        self.look()
        self.page.fill("[name=code]", family.code)
        self.page.fill("[name=password]", family.password)
        self.page.click("main button:not([type])")
        self.page.wait_for_url("**/factures")
        self.look()

    def go_to_bank(self, family: Household, *, email: str = "") -> None:
        """Screens 1, 2 and 3."""
        self.page.goto(f"{self.town.url}/factures")
        for number in family.invoices:
            self.page.check(f'[name=invoice][value="{number}"]')
        self.page.click(".bar button")
        self.page.wait_for_url("**/paiement/recapitulatif*")
        self.look()
        self.page.fill("[name=email]", email)
        self.page.click("text=Régler votre facture en ligne")
        self.page.wait_for_url(f"{self.town.bank_url}/**")
        self.look()

    def pay(self, card: str = "4970100000000000", delivery: str = "normal") -> None:
        """At the bank: a test card, and how the notice will travel."""
        self.page.fill("#card", card)
        self.page.select_option("#delivery", delivery)
        self.page.click("button.main")

    def title(self) -> str:
        """The first line of the page of the town's one is sent back to."""
        self.page.wait_for_url(f"{self.town.url}/paiement/retour/**")
        self.look()
        return self.page.inner_text("h1")


@pytest.fixture
def visitor(browser: Browser, town: Demo) -> Iterator[Visitor]:
    """On a phone."""
    with open_context(browser) as context:
        yield Visitor(context.new_page(), town)


def open_context(browser: Browser, **options: object) -> BrowserContext:
    chosen: dict[str, object] = {"viewport": {"width": 360, "height": 740}, "locale": "fr-FR"}
    return browser.new_context(**{**chosen, **options})  # type: ignore[arg-type]


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/sante", timeout=2).status_code == 200
    except requests.RequestException:
        return False


@contextmanager
def showing(browser: Browser, **options: object) -> Iterator[Callable[[Seen], Page]]:
    """Show pages as they were sent, with their own style, script and security policy."""
    shown: list[Seen] = []
    waiting: list[Seen] = []

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if not route.request.is_navigation_request():
            # Pages that lead elsewhere by themselves would be gone before having been looked at.
            leaves = re.search("data-(way-out|refresh-after)", shown[-1].html)
            hasty = leaves and path.endswith(".js")
            with shown[-1].app.test_client().get(path) as got:
                body = b"" if hasty else got.data
                route.fulfill(status=got.status_code, content_type=got.mimetype, body=body)
        elif waiting:
            seen = waiting.pop()
            route.fulfill(status=seen.status, headers=seen.headers, body=seen.html)
        else:
            raise AssertionError(f"{shown[-1].state}: leaves by itself for {route.request.url}")

    with open_context(browser, viewport=PHONE, **options) as context:
        context.route("**/*", answer)
        page = context.new_page()

        def go(seen: Seen) -> Page:
            shown.append(seen)
            waiting.append(seen)
            page.goto(seen.url)
            return page

        yield go


@pytest.fixture
def show(browser: Browser) -> Iterator[Callable[[Seen], Page]]:
    with showing(browser) as go:
        yield go


def called(pages: list[Seen], state: str) -> Seen:
    return next(seen for seen in pages if seen.state == state)
