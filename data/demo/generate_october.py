"""Make again what happened to payments in October 2026, which the demo has to close, and the bank's
statement of that month. `generate.py` makes the invoices first.

    python data/demo/generate_october.py
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

FOLDER = Path(__file__).parent
FIRST = date(2026, 10, 1)
PAYMENTS = 32
#: What the account held on the last day of September, in cents; what the bank keeps in October.
OPENING, FEES = 125_000, 1_874
#: Those of the month on which families pay, as days of it; odd payments have days of their own.
DAYS = [6, 7, 8, 9, 12, 14, 15, 16, 19, 20, 21, 22, 23, 26, 27, 28]
#: Code of the record, bank, branch, currency and its decimals, account.
ACCOUNT = "{}10071    44000EUR2 00001234567"


@dataclass(frozen=True)
class Act:
    """Something that happened to a payment, at an instant in Paris. `of` is the other transaction
    of the same payment, that the bank told of before."""

    day: int
    hour: str
    what: str
    invoice: str
    cents: int
    transaction: str = ""
    mode: str = ""
    of: str = ""

    @property
    def row(self) -> list[str]:
        instant = f"{FIRST + timedelta(days=self.day - 1)}T{self.hour}"
        return [instant, self.what, self.invoice, decimal(self.cents), self.transaction,
                self.mode, self.of]  # fmt: skip


@dataclass
class October:
    """Hold what happened, what the bank debited by day, and the lines of its statement that are no
    remittance: day of October, cents, label."""

    acts: list[Act] = field(default_factory=list)
    debits: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    lines: list[tuple[int, int, str]] = field(default_factory=list)
    number: int = 0xC1A0

    def name(self) -> str:
        """Return the bank's name of another transaction."""
        self.number += 1
        return f"{self.number:032x}"

    def pay(self, day: int, hour: str, invoice: str, cents: int) -> str:
        """The family pays, and is debited that day. Return the bank's name of it."""
        name = self.name()
        self.acts.append(Act(day, hour, "paie", invoice, cents, name))
        self.debits[day] += cents
        return name

    def leave(self, day: int, what: str, paid: Act, cents: int, label: str) -> None:
        """Money of a payment leaves: the bank takes it the next working day."""
        self.acts.append(Act(day, "11:00:00", what, paid.invoice, cents, paid.transaction))
        self.lines.append((next_working_day(day), -cents, label))

    @property
    def statement(self) -> list[tuple[int, int, str]]:
        """The lines of the statement, in order: the debits of a day come together, on the next
        working day."""
        remitted = [
            (next_working_day(day), cents, f"REMISE CB {day:02d}10")
            for day, cents in self.debits.items()
            if cents
        ]
        return sorted([*self.lines, *remitted, (30, -FEES, "COMMISSIONS CB OCTOBRE")])


def main() -> None:
    random = Random("Clairvigne, octobre 2026")
    owed = random.sample(list(owed_of_september().items()), PAYMENTS)
    month = October()
    play_odd_ones(month, owed)
    for invoice, cents in owed[7:]:
        hour = f"{random.randint(18, 21)}:{random.randint(10, 59)}:00"
        month.pay(random.choice(DAYS), hour, invoice, cents)
    acts = sorted(month.acts, key=lambda act: act.row[0])
    write("paiements-2026-10.csv", [act.row for act in acts])
    statement = "\n".join(statement_lines(month.statement)) + "\n"
    (FOLDER / "releve-2026-10.cfonb").write_text(statement, encoding="ascii")


def play_odd_ones(month: October, owed: list[tuple[str, int]]) -> None:
    """Play what every régisseur meets, with the first seven invoices."""
    (shared, whole), (refunded, _), (contested, _), (twice, _), (lost, _), (late, _), (next_, _) = (
        owed[:7]
    )
    cents = dict(owed)
    # In part by CESU at the counter, the rest online.
    month.acts.append(Act(8, "10:20:00", "guichet", shared, 3_000, mode="cesu"))
    month.pay(12, "20:05:00", shared, whole - 3_000)
    # A part is given back; the bearer of the card contests another.
    month.pay(9, "19:30:00", refunded, cents[refunded])
    month.leave(20, "rend", month.acts[-1], 1_000, "REMBOURSEMENT CB")
    month.pay(7, "18:45:00", contested, cents[contested])
    month.leave(22, "impaye", month.acts[-1], cents[contested], "IMPAYE CB")
    # Debited twice; the second is given back.
    name = month.pay(14, "20:10:00", twice, cents[twice])
    twin = Act(14, "20:12:00", "annonce", twice, cents[twice], month.name(), of=name)
    month.acts.append(twin)
    month.debits[14] += cents[twice]
    month.leave(19, "rend", twin, cents[twice], "REMBOURSEMENT CB")
    # Its message was lost: debited on the 13th, it was learnt three days later.
    month.pay(16, "08:00:00", lost, cents[lost])
    month.debits[16] -= cents[lost]
    month.debits[13] += cents[lost]
    # Authorised at the end of the month and captured in the next one; paid in the next month.
    name = month.name()
    month.acts += [
        Act(30, "21:00:00", "autorise", late, cents[late], name),
        Act(33, "02:00:00", "annonce", late, cents[late], name, of=name),
        Act(33, "20:00:00", "paie", next_, cents[next_], month.name()),
    ]


def owed_of_september() -> dict[str, int]:
    """Return the invoices of September of families that owe two, with their totals in cents."""
    paid = {row["numero_facture"] for row in read("encaissements.csv")}
    owed: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for path in sorted(FOLDER.glob("factures-*.csv")):
        for row in read(path.name):
            if row["numero_facture"] not in paid:
                cents = int(row["montant"].replace(",", ""))
                owed[row["code_famille"]][row["numero_facture"]] += cents
    return {
        number: cents
        for invoices in owed.values()
        if len(invoices) == 2
        for number, cents in invoices.items()
        if number.startswith("2026-09") and cents > 4_000
    }


def next_working_day(day: int) -> int:
    on = FIRST + timedelta(days=day)
    while on.weekday() >= 5:
        on += timedelta(days=1)
    return on.day


def statement_lines(lines: Iterable[tuple[int, int, str]]) -> Iterator[str]:
    """Yield the records of a CFONB 120 statement of October (CFONB, 7.4, 2004)."""
    total = OPENING
    yield balance("01", "300926", OPENING)
    for number, (day, cents, label) in enumerate(lines, 1):
        total += cents
        on, code = f"{day:02d}1026", "05" if cents > 0 else "08"
        yield (f"{ACCOUNT.format('04')}{code}{on}  {on}{label:<31.31}  {number:07d}  "
               f"{signed(cents)}{'':16}")  # fmt: skip
    yield balance("07", "311026", total)


def balance(code: str, on: str, cents: int) -> str:
    return f"{ACCOUNT.format(code)}  {on}{'':50}{signed(cents)}{'':16}"


def signed(cents: int) -> str:
    """Return an amount whose last sign is its last figure and its sign."""
    figures = f"{abs(cents):014d}"
    return figures[:-1] + ("{ABCDEFGHI" if cents >= 0 else "}JKLMNOPQR")[int(figures[-1])]


def decimal(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}"


def read(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter=";")


def write(name: str, rows: list[list[str]]) -> None:
    header = ["instant", "acte", "facture", "montant", "transaction", "mode", "de"]
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";", lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    main()
