"""The books of the demo's October, kept apart from the product: from its files alone.

Nothing of `kiosque` or `gateways` is imported: what agrees with this was computed twice.
"""

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from tests import pdfs

FILES = Path(__file__).parents[1] / "data" / "demo"
MONTH = "2026-10"
#: What the account held before, and what the bank kept, as the files' own generator says.
OPENING, FEES = 125_000, 1_874


@dataclass
class Books:
    """October: revenue by mode and service, what the bank holds and owes, and what families still
    owe on the fifth of November; in cents."""

    revenue: Counter[tuple[str, str]] = field(default_factory=Counter)
    at_bank: int = OPENING
    #: Debited in October, credited after it.
    in_transit: int = 0
    #: The sum of what was paid, given back and contested, one entry each.
    journal: int = 0
    unpaid: int = 0

    @property
    def by_mode(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for (mode, _service), cents in self.revenue.items():
            found[mode] += cents
        return found

    @property
    def total(self) -> int:
        return self.revenue.total()

    def require_journal(self, table: str) -> None:
        """Require that the journal, as CSV, says the same of what October collected; and of the
        account, once its statement is explained and its deposit final."""
        found = Counter(balances_of(table, MONTH))
        assert found.pop("encaissé ailleurs, CESU") == self.by_mode["cesu"]
        assert found.pop("recettes à verser") + found.pop("remboursements") == -self.total
        assert found.pop("trop-perçus", 0) == 0
        received = {name: cents for name, cents in found.items() if "à recevoir" in name}
        assert [*received.values()] == [self.at_bank - OPENING + FEES] == [self.by_mode["card"]]
        assert found == received, "October has other accounts"
        account = balances_of(table)
        assert account["compte DFT ou bancaire"] == self.at_bank - self.in_transit
        assert account["frais bancaires (dépenses à régulariser)"] == FEES
        assert account["solde d’ouverture du compte"] == -OPENING
        assert account["recettes versées"] == -self.by_mode["card"]

    def require_papers(self, papers: Mapping[str, bytes], unpaid: int) -> None:
        """Require that the PDFs of October closed, by name, all say the same cents."""
        said = {name: pdfs.text(pdf) for name, pdf in papers.items()}
        self.require_position(said.pop("rapprochement.pdf"))
        journal = said.pop("journal.pdf")
        begun, carried = cents_after("Report", journal), cents_after("À reporter", journal)
        assert begun == [0, *carried[:-1]]
        assert carried[-1] == self.journal
        assert cents_after("Total", said.pop("impayes.pdf")) == [unpaid]
        bordereau, people = sorted(said)
        assert (bordereau[:10], people[:6]) == ("bordereau-", "liste-")
        self.require_deposit(said[bordereau])
        assert cents_after("Total versé", said[people]) == [self.total]

    def require_position(self, paper: str) -> None:
        """Require that the *état de rapprochement*, as text, says the same of the account."""
        assert cents_after("A, solde des livres au 31/10/2026", paper) == [self.at_bank]
        told = self.at_bank - self.in_transit
        assert cents_after("B, solde du relevé au 31/10/2026", paper) == [told]
        assert cents_after("Total", paper) == [self.in_transit, 0]

    def require_deposit(self, paper: str) -> None:
        """Require that the *bordereau*, as text, pays over the same, however it is added up."""
        assert cents_after("Arrêté à la somme de", paper) == [self.total]
        _collected, by_mode, by_imputation = cents_after("Total", paper)
        assert by_mode == by_imputation == self.total


def amounts_of(table: str, months: str = "") -> list[int]:
    """The amounts of a journal's CSV, of the days that begin so, entry by entry."""
    rows = csv.DictReader(io.StringIO(table), delimiter=";")
    return [in_cents(row["montant"]) for row in rows if row["jour"].startswith(months)]


def entries_of(journal: str) -> list[int]:
    """The amounts of the entries of the paper of a journal, but for the sums carried forward."""
    carried = re.sub(r"(Report|À reporter) -?\d[\d ]*,\d\d €", "", journal)
    found = re.findall(r"(-?\d[\d ]*,\d\d) €", carried)
    return [in_cents(amount.replace(" ", "")) for amount in found]


def paid_of(table: str) -> Counter[str]:
    """Sum by invoice what a deposit's CSV pays over."""
    found: Counter[str] = Counter()
    for row in csv.DictReader(io.StringIO(table), delimiter=";"):
        found[row["facture"]] += in_cents(row["montant"])
    return found


def cents_by_invoice(paper: str) -> Counter[str]:
    """Sum by invoice the amounts of the lines of a paper that name one."""
    found: Counter[str] = Counter()
    for number, amount in re.findall(r"(\d{4}-\d\d-\d{4}).*? (-?\d[\d ]*,\d\d) €", paper):
        found[number] += in_cents(amount.replace(" ", ""))
    return found


def cents_after(words: str, paper: str) -> list[int]:
    """Read each amount that a paper writes after these words."""
    found = re.findall(rf"{words} (-?\d[\d ]*,\d\d) €", paper)
    return [in_cents(amount.replace(" ", "")) for amount in found]


def what_happened() -> set[str]:
    """Name what makes this month hard, of what its files hold."""
    lines, done = lines_by_invoice(), list(acts())
    wholes = {number: sum(cents for _, cents in parts) for number, parts in lines.items()}
    learnt = {f"{act['instant'][8:10]}10" for act in done}
    told = (FILES / "releve-2026-10.cfonb").read_text("utf-8")
    found = {
        "in part": any(
            in_cents(act["montant"]) < wholes[act["facture"]]
            for act in done
            if act["acte"] in ("paie", "guichet") and act["facture"] in wholes
        ),
        "given back": any(act["acte"] == "rend" for act in done),
        "authorised, then late": any(
            act["acte"] == "annonce" and act["de"] == act["transaction"] for act in done
        ),
        "contested": any(act["acte"] == "impaye" for act in done),
        "a notice lost": any(on not in learnt for on in re.findall(r"REMISE CB (\d{4})", told)),
        "twice": any(act["acte"] == "annonce" and act["de"] != act["transaction"] for act in done),
        "fees": "COMMISSIONS" in told,
        "of the next month": any(
            act["acte"] == "paie" and not act["instant"].startswith(MONTH) for act in done
        ),
    }
    return {name for name, is_there in found.items() if is_there}


def families() -> int:
    """Return how many families have an invoice of September."""
    return len({row["code_famille"] for row in _rows("factures-2026-09.csv")})


def keep() -> Books:
    """Keep the books of October."""
    books, lines = Books(unpaid=unpaid()), lines_by_invoice()
    paid: dict[str, dict[str, int]] = {}
    extra: dict[str, int] = {}
    for act in acts():
        if not act["instant"].startswith(MONTH):
            continue
        cents, name = in_cents(act["montant"]), act["transaction"]
        books.journal += cents
        if act["acte"] in ("paie", "autorise"):
            paid[name] = split(cents, lines[act["facture"]])
            count(books, "card", paid[name])
            books.at_bank += cents
            books.in_transit += cents if act["acte"] == "autorise" else 0
        elif act["acte"] == "guichet":
            count(books, act["mode"], split(cents, lines[act["facture"]]))
        elif act["acte"] == "annonce":
            extra[name] = cents
            books.at_bank += cents
        else:  # it leaves
            books.at_bank -= cents
            if name not in extra:
                shares = share(cents, list(paid[name].values()))
                left = dict(zip(paid[name], (-each for each in shares), strict=True))
                count(books, "card", left)
    books.at_bank -= FEES
    return books


def count(books: Books, mode: str, parts: dict[str, int]) -> None:
    for service, cents in parts.items():
        books.revenue[mode, service] += cents


def unpaid() -> int:
    return unpaid_by_invoice().total()


def unpaid_by_invoice() -> Counter[str]:
    """Return what is left to pay of each invoice of September, which are all past due, after every
    act: what the bank gives back makes nothing due again, a card contested does."""
    left: Counter[str] = Counter()
    for number, lines in lines_by_invoice().items():
        left[number] = sum(cents for _service, cents in lines)
    signs = {"paie": -1, "autorise": -1, "guichet": -1, "impaye": 1}
    for act in acts():
        left[act["facture"]] += signs.get(act["acte"], 0) * in_cents(act["montant"])
    return +left


def unpaid_in_the_demo() -> int:
    """Return the same of all invoices due by then, once what was paid elsewhere is loaded."""
    earlier = [path.name for path in FILES.glob("factures-*.csv") if path.stem < "factures-2026-09"]
    due = sum(in_cents(row["montant"]) for name in earlier for row in _rows(name))
    elsewhere = sum(
        in_cents(row["montant"])
        for row in _rows("encaissements.csv")
        if row["numero_facture"] < MONTH
    )
    return due + unpaid() - elsewhere


def acts() -> Iterator[dict[str, str]]:
    yield from _rows("paiements-2026-10.csv")


def lines_by_invoice() -> dict[str, list[tuple[str, int]]]:
    """The service and the cents of each line of the invoices of September."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for row in _rows("factures-2026-09.csv"):
        found[row["numero_facture"]].append((row["service"], in_cents(row["montant"])))
    return found


def split(cents: int, lines: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Share what was paid of an invoice between its lines; the sum of each service."""
    found: dict[str, int] = defaultdict(int)
    parts = share(cents, [line for _service, line in lines])
    for (service, _line), part in zip(lines, parts, strict=True):
        found[service] += part
    return found


def share(cents: int, weights: Sequence[int]) -> list[int]:
    """By largest remainder, the first of equal ones first."""
    total = sum(weights)
    exact = [Fraction(cents * weight, total) for weight in weights]
    parts = [int(part) for part in exact]
    order = sorted(range(len(parts)), key=lambda at: parts[at] - exact[at])
    for at in order[: cents - sum(parts)]:
        parts[at] += 1
    return parts


def balances_of(table: str, days: str = "") -> Counter[str]:
    """Sum by account the entries of a journal's CSV, of the days that begin so."""
    found: Counter[str] = Counter()
    for row in csv.DictReader(io.StringIO(table), delimiter=";"):
        if row["jour"].startswith(days) and (row["debit"] or row["credit"]):
            found[row["debit"]] += in_cents(row["montant"])
            found[row["credit"]] -= in_cents(row["montant"])
    return found


def in_cents(amount: str) -> int:
    return int(amount.replace(",", ""))


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (FILES / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter=";")
