"""A storm: many families pay at once, the bank repeats itself, and processes are killed at random.

What is acknowledged to the bank is remembered; afterwards the database must hold all of it, once.
`make storm` runs the long one: 3 000 payments.
"""

import html
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from tests import fresh_databases
from tests.proof.storm_bank import Bank, Form, Message
from tests.proof.storm_check import faults_of
from tests.proof.storm_service import Broken, Browser, Service, make_town
from tests.threads import at_once

CLIENTS = 12
#: Once the storm is over, or a fault is found, what is under way ends within this.
END_SECONDS = 60

#: What a client does with some invoices; one is as likely as another.
SCENES = (
    "pay",
    "pay_announced_at_once",
    "be_refused_then_pay",
    "pay_and_hear_late",
    "pay_and_never_hear",
    "pay_and_capture",
    "pay_twice",
    "pay_twice",
    "fight_in_two_tabs",
)

Basket = list[tuple[str, int]]
#: What a family reads in place of the bank's form: why not, or the payment that holds its invoices.
REFUSED = (409, 303)


@dataclass(frozen=True)
class Plan:
    """Choose what happens, and how often.

    `payments` is how many debits the bank makes; each `..._every` counts payments between two
    kills of a worker, of the service (of several nodes, by turns one and all), two deploys;
    `chores_every` is in seconds. `fault` is a guard to take off; then a 500 is no fault by itself:
    only what is wrong in the database is. `spoil` is done to the database before anything;
    `scenes` are those of a client's life to play, all of them when empty; `nodes` share the
    database, each with so many `workers`.
    """

    payments: int
    seed: int = 0
    workers: int = 4
    worker_every: int = 40
    service_every: int = 140
    deploy_every: int = 200
    chores_every: float = 2.0
    longest_seconds: float = 240
    fault: str = ""
    spoil: Callable[[fresh_databases.Location], None] = lambda _: None
    scenes: tuple[str, ...] = ()
    nodes: int = 1


@dataclass
class Tally:
    acknowledged: int = 0
    repeated: int = 0
    forms: int = 0
    twice: int = 0
    worker_kills: int = 0
    service_kills: int = 0
    node_kills: int = 0
    deploys: int = 0
    chores: int = 0
    chores_killed: int = 0
    broken: int = 0
    statuses: Counter[int] = field(default_factory=Counter)


class Storm:
    def __init__(self, folder: Path, location: fresh_databases.Location, plan: Plan) -> None:
        self.plan, self.bank, self.tally = plan, Bank(), Tally()
        self.faults: list[str] = []
        self.acknowledged: dict[Message, float] = {}
        self._folder, self._location = folder, location
        self._random = random.Random(plan.seed)
        self._lock = threading.Lock()
        self._calm = threading.Event()  # set: nobody begins anything any more
        self._end = float("inf")
        self._late: list[Message] = []
        #: Try again: nobody answers, the database does not, or the balancer finds no node.
        self.no_answers = (None, 503, *((502, 504) if plan.nodes > 1 else ()))

    def run(self) -> "Storm":
        started = time.monotonic()
        with self.bank.serving():
            # A debit or more for each invoice, but for what is lost when a process is killed.
            families = CLIENTS // 2
            each = self.plan.payments * 2 // families + 30
            town = make_town(self._location, families, each)
            self.plan.spoil(self._location)
            self.service = Service(
                self._folder,
                self._location,
                self.bank.url,
                workers=self.plan.workers,
                fault=self.plan.fault,
                nodes=self.plan.nodes,
            )
            try:
                self.service.start()
                self._rage(town)
                self.faults += faults_of(self)
            finally:
                self.service.stop()
        self.seconds = time.monotonic() - started
        return self

    def _rage(self, town: dict[str, Basket]) -> None:
        clients = []
        for code, owed in town.items():
            stack, tabs = list(owed), [Browser(self.service.port), Browser(self.service.port)]
            for tab in tabs:
                tab.sign_in(code, owed[0][0])
            for number in (0, 1):
                seed = self._random.random()
                mine = [tabs[number], tabs[1 - number]]
                clients.append(_Client(self, mine, stack, random.Random(seed)))
        self._end = time.monotonic() + self.plan.longest_seconds
        threads = [threading.Thread(target=client.live, daemon=True) for client in clients]
        threads.append(threading.Thread(target=self._do_chores, daemon=True))
        for thread in threads:
            thread.start()
        try:
            self._destroy()
        finally:
            self._end = time.monotonic() + END_SECONDS
            self._calm.set()
        for thread in threads:
            thread.join(2 * END_SECONDS)
            if thread.is_alive():
                raise AssertionError("a client does not end")
        self._end = time.monotonic() + END_SECONDS
        for message in self._late:
            self.deliver(message)

    def is_over(self) -> bool:
        return self._calm.is_set()

    def fault(self, text: str) -> None:
        with self._lock:
            self.faults.append(text)

    def fault_of_answer(self, text: str) -> None:
        if not self.plan.fault:
            self.fault(text)

    def note_answer(self, status: int | None) -> None:
        with self._lock:
            if status is None:
                self.tally.broken += 1
            else:
                self.tally.statuses[status] += 1

    def deliver(self, message: Message) -> None:
        """As a bank: again and again until the answer is 200, which is an acknowledgement."""
        courier = Browser(self.service.port)
        tries = 0
        while time.monotonic() < self._end:
            tries += 1
            status = None
            with suppress(Broken):
                status = courier.post("/paiement/notification/banque", message.fields).status
            self.note_answer(status)
            if status == 200:
                with self._lock:
                    self.tally.repeated += message in self.acknowledged
                    self.acknowledged.setdefault(message, time.monotonic())
                return
            if status not in self.no_answers:
                if self.plan.fault and tries > 3:
                    return
                self.fault_of_answer(f"notice {message.status}: answer {status}")
            time.sleep(random.uniform(0.05, 0.4))
        if not self.plan.fault:
            self.fault(f"notice {message.status} never acknowledged, after {tries} tries")

    def put_off(self, message: Message) -> None:
        with self._lock:
            self._late.append(message)

    def late(self) -> Message | None:
        with self._lock:
            if not self._late:
                return None
            return self._late.pop(random.randrange(len(self._late)))

    def _destroy(self) -> None:
        """The killer: by progress, not by the clock, so that a slow machine suffers as much."""
        plan, tally = self.plan, self.tally
        while True:
            count = len(self.bank.debits())
            if count >= plan.payments:
                return
            if time.monotonic() > self._end:
                self.fault(f"{count} payments only, in {plan.longest_seconds} seconds")
                return
            if count >= plan.service_every * (tally.service_kills + tally.node_kills + 1):
                self._kill_nodes()
                self.service.start()
            elif count >= plan.deploy_every * (tally.deploys + 1):
                self.service.deploy()
                tally.deploys += 1
            elif count >= plan.worker_every * (tally.worker_kills + 1):
                tally.worker_kills += self._kill_a_worker()
            time.sleep(self._random.uniform(0.002, 0.03))

    def _kill_nodes(self) -> None:
        if self.plan.nodes > 1 and self.tally.node_kills <= self.tally.service_kills:
            self._random.choice(self.service.nodes).kill()
            self.tally.node_kills += 1
            # The others go on alone for a while.
            alone = len(self.bank.debits()) + self.plan.worker_every // 2
            while len(self.bank.debits()) < alone and time.monotonic() < self._end:
                time.sleep(0.02)
        else:
            self.service.kill()
            self.tally.service_kills += 1

    def _kill_a_worker(self) -> bool:
        try:
            os.kill(self._random.choice(self.service.workers()), signal.SIGKILL)
        except (IndexError, ProcessLookupError):
            return False
        return True

    def _do_chores(self) -> None:
        """Run the chores of the timers, each cut short one time in two."""
        while not self._calm.wait(random.uniform(0, 2 * self.plan.chores_every)):
            self.let_time_pass()
            command = random.choice([("reconcile", "--seconds", "5"), ("send-mail",)])
            process = self.service.command(*command)
            self.tally.chores += 1
            if random.random() < 0.5:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(random.uniform(0.6, 2.5))
                self.tally.chores_killed += process.poll() is None
                process.kill()
            process.communicate()

    def let_time_pass(self) -> None:
        """Make every question to the bank due, and end the lease of a run that was killed: no run
        is under way."""
        with suppress(apsw.BusyError):  # next time
            fresh_databases.run(
                self._location,
                "UPDATE attempt SET ask_at = started_at WHERE ask_at IS NOT NULL",
                "UPDATE lease SET expires_at = started_at",
            )


class _Client:
    """A parent and a bank in one thread. Two clients share a family, and its invoices."""

    def __init__(
        self, storm: Storm, tabs: list[Browser], stack: Basket, draw: random.Random
    ) -> None:
        self._storm, self._tabs, self._stack, self._random = storm, tabs, stack, draw

    def live(self) -> None:
        scenes = [getattr(self, name) for name in self._storm.plan.scenes or SCENES]
        try:
            while not self._storm.is_over():
                basket = self._take()
                if not basket:
                    return
                self._random.choice(scenes)(basket)
                if self._random.random() < 0.4 and (message := self._storm.late()):
                    self._storm.deliver(message)
        except Exception as error:  # noqa: BLE001  # a thread's own would be lost
            self._storm.fault(f"client: {error!r}")

    def _take(self) -> Basket:
        count = self._random.choice((1, 1, 1, 2, 3))
        with suppress(IndexError):
            return [self._stack.pop() for _ in range(count)]
        return []

    def _open(self, basket: Basket, tab: int = 0) -> Form | None:
        """Press the button until a page comes: the bank's form, or a refusal."""
        browser = self._tabs[tab]
        asked = [
            *(("invoice", number) for number, _ in basket),
            ("expected_cents", str(sum(cents for _, cents in basket))),
            ("email", self._random.choice(("", "alice@example.org"))),
            ("csrf_token", browser.token),
        ]
        while not self._storm.is_over():
            answer = None
            with suppress(Broken):
                answer = browser.post("/paiement/banque", asked)
            self._storm.note_answer(answer.status if answer else None)
            if answer and answer.status == 200:
                form = _form(answer.text)
                self._storm.bank.open(form)
                self._storm.tally.forms += 1
                return form
            if answer and answer.status in REFUSED:
                return None
            if answer and answer.status not in self._storm.no_answers:
                self._storm.fault_of_answer(f"opening: answer {answer.status}")
                return None
            time.sleep(self._random.uniform(0.05, 0.3))
        return None

    def _tell(self, *messages: Message) -> None:
        """Each from a thread of its own, at once."""
        at_once(*(lambda it=it: self._storm.deliver(it) for it in messages))

    def _repeat(self, *messages: Message) -> None:
        for message in messages:
            if self._random.random() < 0.3:
                self._storm.deliver(message)

    def pay(self, basket: Basket) -> None:
        if form := self._open(basket):
            message = self._storm.bank.say(form, "AUTHORISED")
            self._storm.deliver(message)
            self._repeat(message)

    def pay_announced_at_once(self, basket: Basket) -> None:
        if form := self._open(basket):
            message = self._storm.bank.say(form, "AUTHORISED")
            self._tell(message, message)

    def be_refused_then_pay(self, basket: Basket) -> None:
        if form := self._open(basket):
            refused = self._storm.bank.say(form, "REFUSED")
            paid = self._storm.bank.say(form, "AUTHORISED")
            if self._random.random() < 0.5:
                self._storm.deliver(refused)
                self._storm.deliver(paid)
            else:
                self._tell(paid, refused)
            self._repeat(refused, paid)

    def pay_and_hear_late(self, basket: Basket) -> None:
        if form := self._open(basket):
            self._storm.put_off(self._storm.bank.say(form, "AUTHORISED"))

    def pay_and_never_hear(self, basket: Basket) -> None:
        """The notice is lost for good: only asking the bank tells."""
        if form := self._open(basket):
            self._storm.bank.say(form, "AUTHORISED")

    def pay_and_capture(self, basket: Basket) -> None:
        if form := self._open(basket):
            authorised = self._storm.bank.say(form, "AUTHORISED")
            captured = self._storm.bank.say(form, "CAPTURED", authorised.uuid)
            self._tell(authorised, captured)
            self._repeat(captured, authorised)

    def pay_twice(self, basket: Basket) -> None:
        """Refused or abandoned, begun again, and then both are paid."""
        first = self._open(basket)
        if not first:
            return
        status = self._random.choice(("REFUSED", "ABANDONED"))
        self._storm.deliver(self._storm.bank.say(first, status))
        second = self._open(basket)
        debits = [self._storm.bank.say(form, "AUTHORISED") for form in (first, second) if form]
        self._storm.tally.twice += len(debits) == 2
        self._tell(*debits)
        self._repeat(*debits)

    def fight_in_two_tabs(self, basket: Basket) -> None:
        """Both parents press the button at once, for invoices of which they share one at least:
        one of the two is refused."""
        other = basket[:1] + self._take()[:1]
        forms: list[Form | None] = [None, None]

        def press(tab: int, wanted: Basket) -> None:
            forms[tab] = self._open(wanted, tab)

        at_once(lambda: press(0, basket), lambda: press(1, other))
        opened = [form for form in forms if form]
        if len(opened) == 2:
            self._storm.fault(f"two live attempts for {basket[0][0]}")
        self._tell(*(self._storm.bank.say(form, "AUTHORISED") for form in opened))


def _form(page: str) -> Form:
    """The form to the bank, as a browser would send it."""
    fields = re.findall(r'<input type="hidden" name="(vads_\w+|signature)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in fields}


def table(storm: Storm) -> str:
    """Return what was done and found."""
    tally = storm.tally
    lost = [fault for fault in storm.faults if fault.startswith("lost")]
    twice = [fault for fault in storm.faults if fault.startswith("twice")]
    rows = {
        "payments": len(storm.bank.debits()),
        "acknowledged": len(storm.acknowledged),
        "repeated": tally.repeated,
        "invoices paid by two attempts": tally.twice,
        "workers killed": tally.worker_kills,
        "service killed and restarted": tally.service_kills,
        "one node killed and restarted": tally.node_kills,
        "deploys": tally.deploys,
        "commands (of which killed)": f"{tally.chores} ({tally.chores_killed})",
        "requests broken": tally.broken,
        "answers": dict(sorted(tally.statuses.items())),
        "lost": len(lost),
        "duplicates": len(twice),
        "other faults": len(storm.faults) - len(lost) - len(twice),
        "seconds": round(storm.seconds),
    }
    return "\n".join(f"{name:30} {value}" for name, value in rows.items())


def main() -> None:
    count, seed = (int(text) for text in sys.argv[1:3])
    nodes = int(sys.argv[3])
    plan = Plan(
        count,
        seed,
        longest_seconds=1800,
        service_every=250,
        deploy_every=400,
        chores_every=1,
        workers=4 // nodes,
        nodes=nodes,
    )
    with tempfile.TemporaryDirectory() as name, fresh_databases.ready(Path(name)) as location:
        storm = Storm(Path(name), location, plan).run()
    fresh_databases.end()
    print(table(storm))
    if storm.faults:
        raise SystemExit("\n".join(storm.faults[:20]))


if __name__ == "__main__":
    main()
