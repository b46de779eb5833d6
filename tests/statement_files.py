"""Files as banks write them, from what they are to say: statements and journals of payments.

Not of the product: for tests, and for whoever wants such a file.
"""

import csv as csv_files
import io
import textwrap
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from xml.sax.saxutils import escape

from kiosque.statements.cells import french_iban
from kiosque.statements.records import Direction, Movement, Operation, Period

BANK, BRANCH, NUMBER = "10071", "44000", "00001234567"
#: The account of the régie at the Treasury.
ACCOUNT = french_iban(BANK, BRANCH, NUMBER)
_SIGNS = ("{ABCDEFGHI", "}JKLMNOPQR")
_SHOP, _CONTRACT = "MAIRIE", "5100001"


def movement(
    on: date,
    cents: int,
    label: str = "REMISE CB",
    reference: str = "",
    value_on: date | None = None,
) -> Movement:
    return Movement(on, value_on or on, cents, label, reference)


def period(
    *movements: Movement,
    opening: int = 0,
    opened_on: date = date(2026, 9, 30),
    closed_on: date = date(2026, 10, 31),
    account: str = ACCOUNT,
) -> Period:
    """A statement whose balances add up."""
    closing = opening + sum(each.cents for each in movements)
    return Period(account, opened_on, opening, closed_on, closing, movements)


def operation(
    cents: int = 4525,
    day: date = date(2026, 10, 5),
    transaction: str = "000123",
    order: str = "KF0001",
    fee: int | None = 23,
    remitted_on: date | None = date(2026, 10, 6),
    remittance: str = "000042",
    status: str = "MATCH_OK",
) -> Operation:
    """A payment that reached the bank; a refund, below zero."""
    direction = Direction.DEBIT if cents > 0 else Direction.CREDIT
    return Operation(
        day, transaction, order, cents, fee, remitted_on, remittance, direction, status
    )


# --- the journals of Lyra's platforms ---------------------------------------------------------


def jrb(operations: Iterable[Operation], version: int = 1, *, euros: bool = False) -> bytes:
    """The *journal de rapprochement bancaire*, in cents, or in euros with a point."""
    header = [
        "ENTETE", "MERCHANT_COUNTRY", "MERCHANT_ID", "CONTRACT", "PAYMENT_DATE", "TRANSACTION_ID",
        "ORIGIN_AMOUNT", "CURRENCY_CODE", "CARD_TYPE" if version == 1 else "PAYMENT_METHOD",
        "ORDER_ID", "RETURN_CONTEXT", "CUSTOMER_ID", "OPERATION_TYPE", "OPERATION_NUMBER",
        "REMITTANCE_DATE", "REMITTANCE_TIME", "BRUT_AMOUNT", "MATCH_STATUS", "REMITTANCE_NB",
        "NET_AMOUNT", "COMMISSION_AMOUNT", "COMMISSION_CURRENCY",
    ]  # fmt: skip
    lines = [_matching(each, version, euros) for each in operations]
    return _journal(f"TABLE_V{version}", header, lines, has_end=True)


def _matching(told: Operation, version: int, euros: bool) -> list[str]:
    gross = _journal_amount(abs(told.cents), euros)
    net = fee = ""
    if told.fee_cents is not None:
        net = _journal_amount(abs(told.cents - told.fee_cents), euros)
        fee = _journal_amount(abs(told.fee_cents), euros)
    day = f"{told.gateway_day}T13:33Z" if version == 3 else _compact(told.gateway_day)
    return [
        "MATCHING", "FR", "021440195800018", _CONTRACT, day, told.transaction_id, gross, "978",
        "CB", told.order_reference, "une|note|", "F1001", _short(told.direction), "1",
        _compact(told.remitted_on), "2300", gross, told.status, told.remittance, net, fee,
        "978" if fee else "",
    ]  # fmt: skip


def jo(operations: Iterable[Operation], version: int = 3) -> bytes:
    """The *journal des opérations*, always in cents: `status` is the name of the operation."""
    country = ["MERCHANT_COUNTRY"] if version == 2 else []
    header = [
        "ENTETE", *country, "MERCHANT_ID", "PAYMENT_DATE", "TRANSACTION_ID", "OPERATION_SEQUENCE",
        "OPERATION_NAME", "OPERATION_AMOUNT", "OPERATION_CURRENCY", "OPERATION_DATE", "ORDER_ID",
    ]  # fmt: skip
    lines = [_operation(told, country) for told in operations]
    return _journal("TABLE_V4" if version == 2 else "TABLE_V3", header, lines, has_end=True)


def _operation(told: Operation, country: list[str]) -> list[str]:
    return [
        "OPERATION", *(["FR"] if country else []), "021440195800018", _compact(told.gateway_day),
        told.transaction_id, "1", told.status, str(abs(told.cents)), "978",
        f"{told.gateway_day:%y%m%d}", told.order_reference,
    ]  # fmt: skip


#: The columns of a JT, by Lyra's names; a shop may choose others, and name them.
JT_COLUMNS = {
    "TRANSACTION_ID": lambda told: told.transaction_id,
    "MERCHANT_ID": lambda _told: "021440195800018",
    "PAYMENT_MEANS": lambda _told: "CARD",
    "CONTRACT": lambda _told: _CONTRACT,
    "TRANSACTION_TYPE": lambda told: told.direction.upper(),
    "ORIGIN_AMOUNT": lambda told: str(abs(told.cents)),
    "AMOUNT": lambda _told: "0",
    "PAYMENT_DATE": lambda told: _compact(told.gateway_day),
    "ORDER_ID": lambda told: told.order_reference,
    "CUSTOMER_ID": lambda _told: "F1001",
    "TRANSACTION_STATUS": lambda told: told.status,
}


def jt(operations: Iterable[Operation], names: dict[str, str] | None = None) -> bytes:
    """The *journal des transactions*, in cents; `names` are the columns that a shop chose, and the
    name that it gave each, in their order."""
    columns = names or {name: name for name in JT_COLUMNS}
    lines = [["TRANSACTION", *(JT_COLUMNS[name](told) for name in columns)] for told in operations]
    return _journal("TABLE_V_CUSTOM", ["ENTETE", *columns.values()], lines, has_end=False)


def _journal(version: str, header: list[str], lines: list[list[str]], *, has_end: bool) -> bytes:
    title = ["TITRE", _SHOP, "26/10/06_11:05:00", version]
    end = [["FIN", str(len(lines))]] if has_end else []
    return "".join(f"{';'.join(cells)};\r\n" for cells in (title, header, *lines, *end)).encode()


def _journal_amount(cents: int, euros: bool) -> str:
    return _plain(cents) if euros else str(cents)


def _short(direction: Direction) -> str:
    return "DT" if direction is Direction.DEBIT else "CT"


def _compact(on: date | None) -> str:
    return f"{on:%Y%m%d}" if on else ""


# --- statements of an account -----------------------------------------------------------------


def overpunched(cents: int) -> str:
    """Fourteen signs, the last of which is a figure and the sign."""
    figures = f"{abs(cents):014}"
    return figures[:13] + _SIGNS[cents < 0][int(figures[13])]


def cfonb(*periods: Period) -> bytes:
    """CFONB 120, in Windows-1252. A label beyond 31 signs goes on in a complement."""
    lines: list[str] = []
    for told in periods:
        lines.append(_record("01", told.account, told.opened_on, told.opening_cents or 0))
        for each in told.movements:
            lines += _of_movement(told.account, each)
        lines.append(_record("07", told.account, told.closed_on, told.closing_cents or 0))
    return "".join(f"{line}\r\n" for line in lines).encode("cp1252")


def _of_movement(account: str, told: Movement) -> list[str]:
    value = f"{told.value_on:%d%m%y}" if told.value_on else ""
    label, *rest = textwrap.wrap(told.label, 31) or [""]
    middle = f"{value:6}{label:31}"
    line = _record("04", account, told.booked_on, told.cents, middle, told.reference)
    return [line, *(f"05{line[2:45]}LIB{words:70}  " for words in rest)]


def _record(
    code: str, iban: str, on: date | None, cents: int, middle: str = "", reference: str = ""
) -> str:
    head = f"{code}{iban[4:9]}    {iban[9:14]}EUR2 {iban[14:25]}  {on or date(2026, 9, 30):%d%m%y}"
    return f"{head:42}{middle:48}{overpunched(cents)}{reference[:16]:16}"


def ofx(*periods: Period, charset: str = "1252", encoding: str = "cp1252") -> bytes:
    """OFX 1.02, in SGML: what `charset` says and what the bytes are may differ."""
    head = (
        "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nSECURITY:NONE\r\nENCODING:USASCII\r\n"
        f"CHARSET:{charset}\r\nCOMPRESSION:NONE\r\nOLDFILEUID:NONE\r\nNEWFILEUID:NONE\r\n\r\n"
    )
    body = "".join(_stmtrs(told) for told in periods)
    text = f"{head}<OFX>\r\n<BANKMSGSRSV1>{body}</BANKMSGSRSV1>\r\n</OFX>\r\n"
    return text.encode(encoding)


def _stmtrs(told: Period) -> str:
    iban = told.account
    start = (told.opened_on or date(2026, 9, 30)) + timedelta(days=1)
    moved = "".join(_stmttrn(at, each) for at, each in enumerate(told.movements, 1))
    return (
        "<STMTTRNRS>\r\n<TRNUID>1\r\n<STMTRS>\r\n<CURDEF>EUR\r\n"
        f"<BANKACCTFROM>\r\n<BANKID>{iban[4:9]}\r\n<BRANCHID>{iban[9:14]}\r\n"
        f"<ACCTID>{iban[14:25]}\r\n<ACCTTYPE>CHECKING\r\n</BANKACCTFROM>\r\n<BANKTRANLIST>\r\n"
        f"<DTSTART>{_compact(start)}\r\n<DTEND>{_compact(told.closed_on)}\r\n{moved}"
        f"</BANKTRANLIST>\r\n<LEDGERBAL>\r\n<BALAMT>{_plain(told.closing_cents or 0)}\r\n"
        f"<DTASOF>{_compact(told.closed_on)}\r\n</LEDGERBAL>\r\n</STMTRS>\r\n</STMTTRNRS>\r\n"
    )


def _stmttrn(at: int, told: Movement) -> str:
    kind = "CREDIT" if told.cents > 0 else "DEBIT"
    reference = f"<CHECKNUM>{escape(told.reference)}\r\n" if told.reference else ""
    value = f"<DTAVAIL>{_compact(told.value_on)}\r\n" if told.value_on else ""
    return (
        f"<STMTTRN>\r\n<TRNTYPE>{kind}\r\n<DTPOSTED>{_compact(told.booked_on)}\r\n{value}"
        f"<TRNAMT>{_plain(told.cents)}\r\n<FITID>{at}\r\n{reference}"
        f"<NAME>{escape(told.label)}\r\n</STMTTRN>\r\n"
    )


def camt(*periods: Period, version: str = "08") -> bytes:
    """CAMT.053.001 of a version: `02`, `08` or `13`."""
    statements = "".join(_stmt(at, told, version) for at, told in enumerate(periods, 1))
    made_at = datetime(2026, 11, 1, 6, tzinfo=UTC).isoformat()
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'
        f"<BkToCstmrStmt><GrpHdr><MsgId>1</MsgId><CreDtTm>{made_at}</CreDtTm></GrpHdr>"
        f"{statements}</BkToCstmrStmt></Document>\n"
    ).encode()


def _stmt(at: int, told: Period, version: str) -> str:
    entries = "".join(_ntry(each, version) for each in told.movements)
    return (
        f"<Stmt><Id>{at}</Id><ElctrncSeqNb>{at}</ElctrncSeqNb><Acct><Id><IBAN>{told.account}"
        "</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        f"{_bal('OPBD', told.opening_cents, told.opened_on)}"
        f"{_bal('CLBD', told.closing_cents, told.closed_on)}{entries}</Stmt>\n"
    )


def _bal(code: str, cents: int | None, on: date | None) -> str:
    if cents is None or on is None:
        return ""
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amt(cents)}<Dt><Dt>{on}</Dt></Dt>"
        "</Bal>"
    )


def _ntry(told: Movement, version: str) -> str:
    status = "BOOK" if version == "02" else "<Cd>BOOK</Cd>"
    value = f"<ValDt><Dt>{told.value_on}</Dt></ValDt>" if told.value_on else ""
    reference = f"<EndToEndId>{escape(told.reference or 'NOTPROVIDED')}</EndToEndId>"
    return (
        f"\n<Ntry>{_amt(told.cents)}<Sts>{status}</Sts><BookgDt><Dt>{told.booked_on}</Dt></BookgDt>"
        f"{value}<BkTxCd/><NtryDtls><TxDtls><Refs>{reference}</Refs>"
        f"</TxDtls></NtryDtls><AddtlNtryInf>{escape(told.label)}</AddtlNtryInf></Ntry>"
    )


def _amt(cents: int) -> str:
    side = "CRDT" if cents >= 0 else "DBIT"
    return f'<Amt Ccy="EUR">{_plain(abs(cents))}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


#: The columns of Caisse d'Epargne's files, without those of no use.
CSV_HEADER = (
    "Date de comptabilisation", "Libelle simplifie", "Libelle operation", "Reference", "Debit",
    "Credit", "Date operation", "Date de valeur", "Solde",
)  # fmt: skip


def csv(told: Period, *, backwards: bool = False, encoding: str = "cp1252") -> bytes:
    """A CSV of debits and credits, with the balance after each line; the last line first, where it
    goes backwards."""
    rows: list[Sequence[str]] = []
    balance = told.opening_cents or 0
    for each in told.movements:
        balance += each.cents
        debit, credit = (_french(abs(each.cents)), "") if each.cents < 0 else ("", "")
        credit = _french(each.cents) if each.cents > 0 else credit
        on, value = f"{each.booked_on:%d/%m/%Y}", f"{each.value_on or each.booked_on:%d/%m/%Y}"
        rows.append([
            on, each.label[:20], each.label, each.reference, debit, credit, on, value,
            _french(balance),
        ])  # fmt: skip
    written = io.StringIO(newline="")
    writer = csv_files.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerows([CSV_HEADER, *(reversed(rows) if backwards else rows)])
    return written.getvalue().encode(encoding)


def _plain(cents: int) -> str:
    units, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{units}.{rest:02}"


def _french(cents: int) -> str:
    return _plain(cents).replace(".", ",")
