"""Small files of other software, made up here."""

from collections.abc import Sequence


def pes(
    *pieces: str, total: str = "87.45", kind: str = "06", count: str = "", before: str = ""
) -> bytes:
    """A PES_Aller of one bordereau."""
    text = f"""<?xml version="1.0" encoding="ISO-8859-1"?>{before}
<n:PES_Aller xmlns:n="http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/aller"><PES_RecetteAller>
<Bordereau><BlocBordereau><Exer V="2026"/><IdBord V="12"/><DteBordEm V="2026-11-05"/>
<TypBord V="{kind}"/><NbrPce V="{count or len(pieces)}"/><MtBordHt V="{total}"/>
<Objet V="CANTINE OCTOBRE 2026"/></BlocBordereau>
{"".join(pieces)}</Bordereau></PES_RecetteAller></n:PES_Aller>"""
    return text.encode("latin-1")


def piece(*lines: str, number: str = "2026100001", at: int = 1) -> str:
    return f"""<Piece><BlocPiece><IdPce V="{at}"/><ObjPce V="FACTURE {number}"/>
<NumDette V="{number}"/><Per V="1"/></BlocPiece>{"".join(lines)}</Piece>"""


def line(
    amount: str = "87.45", *, label: str = "CANTINE", name: str = "MARTIN", first: str = "ALICE",
    reference: str = "", street: str = "1 RUE DES LILAS", more: str = "", code: str = "CANT",
) -> str:  # fmt: skip
    return f"""<LigneDePiece><BlocLignePiece><InfoLignePiece><ObjLignePce V="{label}"/>
<CodProdLoc V="{code}"/><MtHT V="{amount}"/>{more}</InfoLignePiece></BlocLignePiece>
<Tiers><InfoTiers><RefTiers V="{reference}"/><TypTiers V="01"/><Nom V="{name}"/>
<Prenom V="{first}"/></InfoTiers><Adresse><Adr2 V="{street}"/><CP V="44880"/><Ville V="SAUTRON"/>
</Adresse><CpteBancaire><IBAN V="FR7600000000000000000000000"/></CpteBancaire></Tiers>
</LigneDePiece>"""


def magnus(label: str = "FACTURE 100241 - OCTOBRE 2026", amount: str = "4.20") -> str:
    """A row of WTAMC001.txt."""
    cells = [""] * 125
    told = {
        0: "1", 6: "M", 7: "FAM000501", 9: "MARTIN", 10: "ALICE", 11: "1 RUE DES LILAS",
        14: "44880", 15: "SAUTRON", 17: label, 24: "05/11/2026", 29: amount, 89: "19",
    }  # fmt: skip
    for at, text in told.items():
        cells[at] = text
    return quoted(cells)


def magnus_line(
    label: str = "LEA - REPAS", amount: str = "4.20", price: str = "1.05", at: str = "1"
) -> str:
    """A row of WTAMC001AS.txt."""
    cells = ["19", at, "01/10/2026", "31/10/2026", label, "4", "", "", "", price]
    return quoted([*cells, "", "", amount, "", "", amount, "1"])


def quoted(cells: Sequence[str]) -> str:
    return ";".join(f'"{cell}"' for cell in cells) + "\n"
