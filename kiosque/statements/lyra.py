"""The journals of Lyra's platforms (Systempay, PayZen, Sogecommerce, Scellius...): JRB, JO, JT.

Lines of cells: `TITRE`, `ENTETE` that names the columns, the details, `FIN` but in a JT. A shop
chooses the columns of its JT, and names them, so that they are found by their names. What may
tell of a person, `CUSTOMER_ID` and `RETURN_CONTEXT`, is not read. Source:
paiement.systempay.fr/doc/fr-FR/back-office/reporting/, lyra.com/fr/doc/collect/back-office/.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from kiosque.invoices.imports.reading import BadFile, Fault, Faults, NumberedLine, every, quoted
from kiosque.language.formats import format_euros
from kiosque.statements.cells import MAX_REFERENCE, column_key, day_in, one_line
from kiosque.statements.lyra_units import AMOUNTS, Known, Line, amount_in, transaction_id, unit_of
from kiosque.statements.records import Direction, FileKind, Operation, ParsedFile, Unit

TITLE, HEADER, END = "TITRE", "ENTETE", "FIN"
_KINDS = {"MATCHING": FileKind.JRB, "OPERATION": FileKind.JO, "TRANSACTION": FileKind.JT}
#: Answers to their other journals; that of chargebacks (JRI) is nowhere described.
_OTHER = (
    "ce journal de Lyra ({}) n’est ni un JRB, ni un JO, ni un JT : ses champs ne sont pas connus, "
    "rien n’en est lu. Si c’est celui des impayés (JRI), notez chaque impayé sur la page "
    "de son encaissement (« Noter un impayé ») ; le relevé de la banque dira le débit"
)
#: The kind of a journal without details, by its title; `TABLE_V3` may be a JRB or a JO.
_VERSIONS = {"TABLE_V_CUSTOM": FileKind.JT, "TABLE_V4": FileKind.JO}
#: The names of a column, the surest first: Lyra's, then those that shops give it.
_NAMES: Mapping[str, Sequence[str]] = {
    "day": ("PAYMENT_DATE", "TRANSACTION_DATE", "CREATION_DATE", "Date du paiement",
            "Date de paiement", "Date de création", "Date de la transaction", "Date"),
    "transaction": ("TRANSACTION_ID", "Identifiant de la transaction", "Identifiant transaction",
                    "N° de transaction", "N° transaction", "Transaction"),
    "order": ("ORDER_ID", "Référence de commande", "Référence commande", "N° de commande",
              "Commande"),
    "gross": ("BRUT_AMOUNT", "OPERATION_AMOUNT", "ORIGIN_AMOUNT", "Montant brut",
              "Montant d’origine", "Montant total", "Montant"),
    "net": ("NET_AMOUNT", "Montant net"),
    "fee": ("COMMISSION_AMOUNT", "Montant de la commission", "Commission"),
    "direction": ("OPERATION_TYPE", "TRANSACTION_TYPE", "OPERATION_NAME", "Type de transaction",
                  "Type d’opération", "Type"),
    "status": ("MATCH_STATUS", "TRANSACTION_STATUS", "OPERATION_NAME", "STATUS", "Statut"),
    "remitted": ("REMITTANCE_DATE", "CAPTURE_DATE", "Date de remise", "Date remise"),
    "remittance": ("REMITTANCE_NB", "CAPTURE_NUMBER", "Numéro de remise", "N° de remise",
                   "Remise"),
    "currency": ("CURRENCY_CODE", "OPERATION_CURRENCY", "CURRENCY", "Devise"),
    "fee_currency": ("COMMISSION_CURRENCY",),
}  # fmt: skip
_NEEDED = ("day", "gross", "direction")
_DIRECTIONS = {
    "dt": Direction.DEBIT, "debit": Direction.DEBIT,
    "ct": Direction.CREDIT, "credit": Direction.CREDIT, "refund": Direction.CREDIT,
}  # fmt: skip
#: The word for a card that was only tried: no money.
_NO_MONEY = "verification"
_EURO = frozenset({"", "978", "eur", "euro"})
_ID = re.compile(r"[A-Za-z0-9_-]{0,64}", re.ASCII)


def is_journal(cells: Sequence[str]) -> bool:
    """Tell whether the first line of a file is one of these."""
    return bool(cells) and cells[0].strip().upper() in {TITLE, HEADER}


def read(
    rows: Iterable[NumberedLine], unit: Unit | None = None, known: Known | None = None
) -> ParsedFile:
    """Read a journal, in the unit given or else found in it. Raise BadFile, or UnreadableFile if a
    person has to say the unit."""
    journal = _Journal()
    for number, cells in rows:
        journal.take(number, cells)
    kind = journal.kind()
    unit = unit or unit_of(kind, journal.lines, known)
    operations = []
    for number, line in journal.lines:
        try:
            operations.append(_operation(line, kind, unit))
        except ValueError as error:
            journal.faults.add(number, *error.args)
    journal.faults.raise_any()
    return ParsedFile(kind, operations=tuple(filter(None, operations)))


class _Journal:
    """Takes in one line after another, and keeps what is of use."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.lines: list[Line] = []
        self._version = ""
        self._columns: dict[str, int] = {}
        self._codes: set[str] = set()
        self._other = ""
        self._is_ended = False

    def take(self, number: int, cells: Sequence[str]) -> None:
        code = cells[0].strip().upper() if cells else ""
        if not code:
            return
        if self._is_ended:
            self.faults.add(number, f"{quoted(code)} après la ligne {END}")
        elif code == TITLE:
            self._version = cells[3].strip() if len(cells) > 3 else ""
        elif code == HEADER:
            self._name(number, cells)
        elif code == END:
            self._is_ended = True
        elif code in _KINDS and self._columns:
            self._codes.add(code)
            columns = self._columns.items()
            told = {name: cells[at].strip() for name, at in columns if at < len(cells)}
            self.lines.append((number, told))
        else:
            self._other = self._other or (code if code not in _KINDS else "")
            self.faults.add(number, f"{quoted(code)} : ce n’est pas une ligne de JRB, JO ou JT")

    def _name(self, number: int, cells: Sequence[str]) -> None:
        """Find the columns by their names."""
        at = {column_key(name): at for at, name in reversed(list(enumerate(cells)))}
        for what, names in _NAMES.items():
            found = [at[key] for key in map(column_key, names) if key in at]
            if found:
                self._columns[what] = found[0]
        missing = [_NAMES[what][0] for what in _NEEDED if what not in self._columns]
        if not {"transaction", "order"} & self._columns.keys():
            missing.append("TRANSACTION_ID")
        if missing:
            self.faults.add(number, f"colonnes absentes du journal : {', '.join(missing)}")

    def kind(self) -> FileKind:
        """Tell a JRB, a JO and a JT apart. Raise BadFile for another file, or one that is cut."""
        if self._other and not self._codes:
            raise BadFile([Fault(0, _OTHER.format(quoted(self._other)))])
        if not self._columns:
            self.faults.add(0, f"ce journal n’a pas de ligne {HEADER}")
        if len(self._codes) > 1:
            self.faults.add(0, f"plusieurs journaux en un : {', '.join(sorted(self._codes))}")
        self.faults.raise_any()
        empty = FileKind.JRB if "net" in self._columns else FileKind.JO
        kinds = [_KINDS[code] for code in self._codes]
        kind = next(iter(kinds), _VERSIONS.get(self._version, empty))
        if kind is not FileKind.JT and not self._is_ended:
            raise BadFile([Fault(0, f"le fichier est coupé : sa dernière ligne n’est pas {END}")])
        return kind


def _operation(line: Mapping[str, str], kind: FileKind, unit: Unit) -> Operation | None:
    """Read a detail; return None if it moves no money. Raise ValueError, in French."""
    said = column_key(line.get("direction", ""))
    if said == _NO_MONEY:
        return None
    direction, day, transaction, (gross, fee), remitted_on, _currency = every(
        lambda: _direction(line.get("direction", ""), kind),
        lambda: day_in(line.get("day", "")),
        lambda: _transaction(line.get("transaction", "")),
        lambda: _gross_and_fee(line, unit, _DIRECTIONS.get(said) is Direction.CREDIT),
        lambda: day_in(line["remitted"]) if line.get("remitted", "").strip("0") else None,
        lambda: _euros(line),
    )
    return Operation(
        day, transaction, _text(line, "order"), gross, fee, remitted_on,
        _text(line, "remittance"), direction, _text(line, "status"),
    )  # fmt: skip


def _direction(said: str, kind: FileKind) -> Direction:
    """Return which way the money goes. A JO names each step of a payment: all but a refund take the
    payer's money. Raise ValueError, in French."""
    found = _DIRECTIONS.get(column_key(said), Direction.DEBIT if kind is FileKind.JO else None)
    if found is None:
        raise ValueError(f"type {quoted(said)} : attendu DEBIT ou CREDIT")
    return found


def _transaction(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"identifiant de transaction {quoted(text)} illisible")
    return transaction_id(text) if text else ""


def _gross_and_fee(line: Mapping[str, str], unit: Unit, is_credit: bool) -> tuple[int, int | None]:
    """Return the gross amount of a detail and the bank's fee, in cents, below zero for money given
    back; None for a fee that it does not tell. Raise ValueError, in French, unless the gross is the
    net and the fee."""
    amounts = [amount_in(line.get(name, ""), unit) for name in AMOUNTS]
    gross, net, fee = (None if cents is None else abs(cents) for cents in amounts)
    if not gross or (amounts[0] != gross and not is_credit):
        raise ValueError(f"montant {quoted(line.get('gross', ''))} : attendu plus que zéro")
    sign = -1 if is_credit else 1
    if net is None:
        return sign * gross, fee or None
    kept = sign * (gross - net)
    if fee is not None and fee != abs(kept):
        raise ValueError(
            f"brut {format_euros(gross)}, net {format_euros(net)}, commission {format_euros(fee)} :"
            " le brut n’est pas le net et la commission"
        )
    return sign * gross, kept


def _euros(line: Mapping[str, str]) -> None:
    for name in ("currency", "fee_currency"):
        if column_key(line.get(name, "")) not in _EURO:
            raise ValueError(f"devise {quoted(line[name])} : attendu l’euro (978)")


def _text(line: Mapping[str, str], name: str) -> str:
    return one_line(line.get(name, ""), most=MAX_REFERENCE)
