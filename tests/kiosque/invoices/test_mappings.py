"""Any table loads once a person has said which of its columns are ours; some are known already."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kiosque.db.models import Child, ColumnMapping, Family, Guardian, Invoice, InvoiceLine
from kiosque.invoices import imports
from kiosque.invoices.imports import BadFile, Confirmed, mappings
from kiosque.statements import receiving
from kiosque.statements.records import Meaning
from tests import sentences
from tests.kiosque.conftest import Run
from tests.kiosque.invoices.files import Load

TABLE = (
    "Export du 5 novembre\n"
    "N° pièce;Famille;Émise le;Total TTC;Nom;Prénom\n"
    "A1;F1001;05/11/2026;12,50;Martin;Zoé\n"
    "A2;F2002;05/11/2026;-3,00;Petit;Léo\n"
)
PAIRS = (
    "numero_facture=N° pièce", "code_famille=Famille", "date_emission=Émise le",
    "montant=Total TTC", "service==Cantine", "enfant=Prénom + Nom",
)  # fmt: skip


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE, "utf-8")
    return path


def test_a_table_is_mapped_once_and_known_ever_after(
    run: Run, table: Path, tmp_path: Path, load: Load
) -> None:
    assert "map" in run("import", str(table)).output
    assert run("map", str(table), *PAIRS).exit_code == 0
    assert run("import", str(table)).exit_code == 0
    first = Invoice.get(Invoice.number == "A1")
    assert (first.total_cents, first.period) == (1250, "novembre 2026")
    line = InvoiceLine.get(InvoiceLine.invoice == first)
    assert (line.child, line.label, line.quantity_hundredths, line.unit_price_cents) == (
        "Zoé Martin", "Cantine", 100, 1250,
    )  # fmt: skip
    assert Invoice.get(Invoice.number == "A2").total_cents == -300
    later = TABLE.upper().replace("A1", "B1").replace("A2", "B2")
    assert load(later, name="decembre.csv").added == 2
    assert "montant=Total TTC" in run("map", str(table)).output


def test_a_mapping_is_said_anew_or_forgotten(run: Run, table: Path) -> None:
    run("map", str(table), *PAIRS)
    run("map", str(table), *PAIRS[:4], "service==Mercredi")
    assert json.loads(ColumnMapping.get().mapping)["rows"][0]["service"] == "=Mercredi"
    assert run("map", str(table), "--forget").exit_code == 0
    assert run("map", str(table), "--forget").exit_code == 1
    assert "N° pièce" in run("map", str(table)).output
    assert ColumnMapping.select().count() == 0


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        (("montant",), "NOTRE=LEUR"),
        (("montant=Total TTC",), "numero_facture"),
        ((*PAIRS[1:],), "numero_facture"),
        ((*PAIRS[:1], *PAIRS[2:]), "code_famille"),
        ((*PAIRS, "montant=Total HT"), "« Total HT »"),
        ((*PAIRS, "iban=Famille"), "« iban »"),
    ],
)
def test_a_mapping_that_cannot_serve_is_refused_and_says_why(
    run: Run, table: Path, pairs: tuple[str, ...], why: str
) -> None:
    result = run("map", str(table), *pairs)
    assert (result.exit_code, ColumnMapping.select().count()) == (1, 0)
    assert why in result.output
    assert "Traceback" not in result.output


def test_two_columns_of_one_name_are_not_told_apart(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(TABLE.replace("Prénom", "Nom"), "utf-8")
    result = run("map", str(path), *PAIRS[:5], "enfant=Nom")
    assert (result.exit_code, "deux colonnes « Nom »" in result.output) == (1, True)


def test_faults_of_a_mapped_table_name_its_own_lines(load: Load, run: Run, table: Path) -> None:
    run("map", str(table), *PAIRS)
    broken = TABLE.replace("12,50", "douze").replace("Léo", "Léo;quoi").replace("A2", "")
    with pytest.raises(BadFile) as caught:
        load(broken, name="table.csv")
    lines = [fault.line for fault in caught.value.faults]
    assert sorted(set(lines)) == [3, 4]


def test_the_total_of_a_mapped_table_is_left_out(load: Load, run: Run, table: Path) -> None:
    run("map", str(table), *PAIRS)
    assert load(TABLE + "TOTAL;;;9,50;;\n", name="table.csv").rows == 2


SERVICES = (
    "ID,Numéro,Nom de la famille,Code comptable,Montant,Date d'édition,Date de début,Date de fin,"
    "Repas,Garderie\n"
)


@pytest.fixture
def alice(empty_database: None) -> None:
    family = Family.create(code="F1001", name="Martin", updated_on="2026-10-01")
    Guardian.create(family=family, first_name="Alice", last_name="Martin")


def one_line(amounts: str, total: str) -> str:
    dates = "31/10/2026,01/10/2026,31/10/2026"
    return f"{SERVICES}1,100241,MARTIN Alice,F1001,{total},{dates},{amounts}\n"


def test_a_column_a_service_gives_each_service_that_was_used(load: Load, alice: None) -> None:
    load("\ufeff" + one_line("'-4.20,10.00", "5.80"), name="noethysweb.csv")
    assert {line.service.name: line.amount_cents for line in InvoiceLine.select()} == {
        "Repas": -420, "Garderie": 1000,
    }  # fmt: skip


def test_services_that_do_not_make_the_total_are_refused(load: Load, alice: None) -> None:
    with pytest.raises(BadFile, match=sentences.SERVICES_MAKE):
        load(one_line("4.20,0", "5.80"), name="noethysweb.csv")


PARASCOL = (
    "Famille_Identifiant;Responsable_1_Civilite;Responsable_1_Nom;Responsable_1_Prenom;"
    "Responsable_1_Adresse;Responsable_1_Code_postal;Responsable_1_Ville;Responsable_1_Telephone;"
    "Responsable_1_Portable;Responsable_1_Mail;Responsable_2_Nom;Responsable_2_Prenom;"
    "Responsable_2_Adresse;Responsable_2_Code_postal;Responsable_2_Ville;Responsable_2_Portable;"
    "Responsable_2_Mail;Enfant_Civilite;Enfant_Nom;Enfant_Prenom;Enfant_Date_de_naissance\n"
    "12;MME;MARTIN;Alice;1 rue des Lilas;44880;Sautron;;0261910001;alice@example.org;PETIT;Bob;;"
    ";;;;F;MARTIN;Zoé;01/05/2019\n"
    "12;MME;MARTIN;Alice;1 rue des Lilas;44880;Sautron;;0261910001;alice@example.org;PETIT;Bob;;"
    ";;;;M;MARTIN;Léo;02/06/2021\n"
)


def test_parascol_s_families_load_with_one_child_a_line(load: Load) -> None:
    load(PARASCOL, name="export.csv")
    assert Family.get().code == "12"
    assert [each.first_name for each in Guardian.select().order_by(Guardian.id)] == ["Alice", "Bob"]
    assert sorted(each.name for each in Child.select()) == ["Léo MARTIN", "Zoé MARTIN"]


BL = {
    "famille.csv": "id;aliasTiers;nomResp1;prenomResp1;adrNumeroVoie;adrcodePostal;adrLocalite;"
    "portableResp1;emailResp1;nomResp2;prenomResp2;emailResp2\n"
    "7;T7;MARTIN;Alice;1 rue des Lilas;44880;Sautron;0261910001;alice@example.org;;;\n",
    "enfant.csv": "Id;nom;prenom;sexe;dateNaissance\n70;MARTIN;Zoé;FEMININ;01/05/2019\n",
    "enfantFamille.csv": "famille_id;enfant_id\n7;70\n",
    "mandat.csv": "titulaire_id;rum;iban\n7;R1;FR7600000000000000000000000\n",
}


def archive(files: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return made.getvalue()


def test_the_archive_of_bl_enfance_loads_without_its_mandates(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    genuine = zipfile.ZipFile.open

    def spy(self: zipfile.ZipFile, name: Any, *more: Any, **options: Any) -> Any:
        opened.append(name.filename)
        return genuine(self, name, *more, **options)

    content = archive(BL)
    monkeypatch.setattr(zipfile.ZipFile, "open", spy)
    load(content, name="export.zip")
    assert (Family.get().code, Guardian.get().email) == ("7", "alice@example.org")
    assert Child.get().name == "Zoé MARTIN"
    assert set(opened) == set(BL) - {"mandat.csv"}


def test_an_archive_of_bl_enfance_in_part_is_refused(load: Load) -> None:
    with pytest.raises(BadFile, match=r"enfant\.csv"):
        load(
            archive({name: BL[name] for name in ("famille.csv", "enfantFamille.csv")}), name="a.zip"
        )


CERIG = (
    "Nom,Prénom,Adresse,Civilité Payeur,Nom Payeur,Prénom Payeur,Adresse Payeur,Code Postal Payeur,"
    "Ville Payeur,Téléphone Portable,Courriel,ID Enfant,Enfant Nom,Enfant Prénom,"
    "Enfant Date Naissance\n"
    "Martin,Alice,1 rue,MME,Martin,Alice,1 rue des Lilas,44880,Sautron,0261910001,a@example.org,70,"
    "Martin,Zoé,01/05/2019\n"
)
ILOISE = (
    "Liste des adultes\n\n\n"
    "Civilité,Nom,Prénom,Adresse,Code postal,Commune,Tel,Portable,Courriel,Organisme,Num.Alloc.\n"
    "MME,Martin,Alice,1 rue des Lilas,44880,Sautron,,0261910001,a@example.org,CAF,1\n"
)


@pytest.mark.parametrize("content", [CERIG, ILOISE])
def test_families_without_a_code_are_found_by_name_and_address(
    load: Load, run: Run, tmp_path: Path, content: str
) -> None:
    family = Family.create(
        code="F1001", name="Martin", address="1 rue des Lilas", postcode="44880", city="Sautron",
        updated_on="2026-10-01",
    )  # fmt: skip
    Guardian.create(family=family, first_name="Alice", last_name="Martin")
    path = tmp_path / "liste.csv"
    path.write_text(content, "utf-8")
    assert [each.proposed for each in imports.debtors(path)] == ["F1001"]
    run("codes", "confirm", str(path), "--proposed")
    load(content, name="liste.csv", confirmed=Confirmed(removals=True))
    assert Guardian.get().email == "a@example.org"


@pytest.mark.parametrize("preset", mappings.presets(), ids=lambda preset: preset.name)
def test_each_preset_fills_columns_of_ours(preset: mappings.Columns) -> None:
    assert len(preset.key) >= 5
    assert set(preset.targets) <= mappings.ALLOWED


def test_what_was_said_of_a_banks_table_says_nothing_of_ours(run: Run, table: Path) -> None:
    columns = {Meaning.BOOKED_ON: "Jour", Meaning.LABEL: "Texte", Meaning.AMOUNT: "Euros"}
    receiving.remember(list(columns.values()), columns, "Dominique")
    assert run("map", str(table), *PAIRS).exit_code == 0
    told = run("import", str(table))
    assert told.exit_code == 0, told.output
    assert Invoice.get(Invoice.number == "A1").total_cents == 1250
    assert [*receiving.remembered().values()] == [columns]
