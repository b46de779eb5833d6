"""Make debts that the Treasury collects, and the files by which it says what it received."""

from datetime import date

from kiosque import payments
from kiosque.db.models import Family, Invoice
from tests.conftest import make_invoice


def titre(family: Family) -> Invoice:
    """A *titre* of 45,20 € that the Treasury collects."""
    invoice = make_invoice(family, "2026-12-1")
    payments.transmit([invoice.number], "bordereau 12", date(2026, 11, 6), "D", "titres")
    return invoice


def received(cents: str, *, name: str = "7", on: str = "2026-11-20", kind: str = "01") -> str:
    return (
        f'<Recouvrement><TypFlux V="{kind}"/><ModRegl V="03"/><DteReco V="{on}"/>'
        f'<IdEncaissement V="{name}"/><MtReco V="{cents}"/></Recouvrement>'
    )


def piece(*parts: str, number: str = "0001", label: str = "CANTINE") -> str:
    return (
        f'<Piece><BlocPiece><IdPce V="{number}"/><ObjPce V="{label}"/></BlocPiece><LigneDePiece>'
        '<BlocLignePiece><InfoLignePiece><IdLigne V="1"/></InfoLignePiece></BlocLignePiece>'
        f"{''.join(parts)}</LigneDePiece></Piece>"
    )


def returned(*pieces: str, on: str = "2026-11-21", kind: str = "0", before: str = "") -> bytes:
    """All that was received until a day, or (2) what a period added."""
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>{before}
<n:PES_Retour xmlns:n="http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/retour">
<EnTetePES><DteStr V="{on}"/><IdColl V="123"/><CodBud V="00"/></EnTetePES>
<PES_RecetteRetour><EnTeteRecette><IdVer V="2"/><NatInf V="{kind}"/></EnTeteRecette>
<Bordereau><BlocBordereau><Exer V="2026"/><IdBord V="0012"/></BlocBordereau>
{"".join(pieces)}</Bordereau></PES_RecetteRetour></n:PES_Retour>""".encode("latin-1")
