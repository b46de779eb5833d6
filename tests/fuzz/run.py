"""Fuzz one target by coverage, with atheris: `make fuzz`. The folders and options after the
target's name are libFuzzer's own."""

import logging
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kiosque", "gateways"]):
    from gateways.lyra import STATUSES, form
    from kiosque.invoices.imports.kinds import KINDS
    from tests.fuzz import targets

#: Words of each target's own language, that chance alone would be long to find.
WORDS = {
    "notification": ["signed\n", "forged\n", "=None\n", "978", *form._NOTICE, *form._MONEY],
    "imports": [";", ",", "|", '"', "\r\n", "\ufeff", "espèces", "12,50", "2026-10-31", "enfant"],
    "statements": [
        "TITRE", "ENTETE", "FIN", "MATCHING", "OPERATION", "TRANSACTION", "TABLE_V3", "EUR2", "{",
        "<STMTTRN>", "</STMTTRN>", "<STMTRS>", "</STMTRS>", "<Ntry>", "</Ntry>", "<Bal>", "CLBD",
        "<Dt>2026-10-31</Dt>", "BOOK", "20261031", "31/10/2026", "Solde", "Débit", ";;", "-12,07",
        "1e999", "\r\n", "&amp;", "<![CDATA[", "<!DOCTYPE a [", "\ufeff",
    ],
    "answers": [
        "http\n", "json\n", "Order/Get\n", "Transaction/CancelOrRefund\n", "answer.transactions.0.",
        "transactionDetails.", "cardDetails.", "detailedStatus=", "operationType=", "amount=",
        "effectiveAmount=", "parentTransactionUuid=", "legacyTransDate=", "null\n", "[]", "{}",
        "ERROR", "PSP_010", "9" * 20, "1e999", "NaN", "\\ud800", "CREDIT", "REFUNDED",
    ],
}  # fmt: skip


def main() -> None:
    name = sys.argv[1]
    logging.disable(logging.CRITICAL)  # a refusal is no news here, and writing it is slow
    words = [*WORDS[name], *STATUSES] if name in {"notification", "answers"} else WORDS[name]
    if name == "imports":
        words = [*words, *{column for kind in KINDS for column in kind.COLUMNS}]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        dictionary = Path(folder, "words")
        dictionary.write_text("".join(map(_quoted, words)), "utf-8")
        target = targets.TARGETS[name](Path(folder))
        atheris.Setup([sys.argv[0], f"-dict={dictionary}", *sys.argv[2:]], target)
        atheris.Fuzz()


def _quoted(word: str) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in word.encode()) + '"\n'


if __name__ == "__main__":
    main()
