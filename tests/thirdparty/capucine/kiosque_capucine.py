"""The software Capucine: cards of text, a blank line after each, a line «name: value» a cell."""

from collections.abc import Iterator

from kiosque.invoices.imports.decoding import decode
from kiosque.invoices.imports.formats import File, NumberedLine
from kiosque.invoices.imports.reading import BadFile, Fault

#: A word of the card, and the column of ours that it is.
COLUMNS = {
    "Famille": "code_famille",
    "Facture": "numero_facture",
    "Du": "date_emission",
    "Mois": "periode",
    "Pour": "service",
    "Enfant": "enfant",
    "Quoi": "libelle",
    "Combien": "quantite",
    "Prix": "prix_unitaire",
    "Total": "montant",
}


class Capucine:
    unit = "fiche"

    def recognises(self, head: bytes, name: str) -> bool:
        return head.startswith(b"CAPUCINE 1\n")

    def read(self, file: File) -> Iterator[NumberedLine]:
        yield 0, list(COLUMNS.values())
        cards = decode(file.data).partition("\n")[2].split("\n\n")
        for number, card in enumerate(filter(str.strip, cards), 1):
            told = dict(line.partition(": ")[::2] for line in card.strip().splitlines())
            if unknown := sorted(told.keys() - COLUMNS.keys()):
                raise BadFile([Fault(number, f"mot inconnu : {unknown[0][:40]}", unit=self.unit)])
            yield number, [told.get(word, "") for word in COLUMNS]
