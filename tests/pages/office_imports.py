"""Files to load, in the town hall's area."""

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosque.db.models import Family, Guardian, ImportBatch, Upload
from kiosque.invoices import imports
from kiosque.invoices.imports import codes, mappings
from kiosque.invoices.imports.codes import Named
from kiosque.staff.roles import Role
from tests.agents import enter, make_agent, send
from tests.kiosque.invoices.files import FAMILIES, ROW, SETTLEMENTS, sheet
from tests.kiosque.invoices.synthetic import line, pes, piece
from tests.pages.payment import two_regies
from tests.pages.stage import LONG_EMAIL, LONG_NAME, LONG_WORD, Stage, scene
from tests.uploads import MONTH, make_upload


def facturation(stage: Stage) -> FlaskClient:
    return enter(stage.app, make_agent(Role.FACTURATION, LONG_EMAIL))


def file_to_load(stage: Stage, content: str = MONTH, **values: object) -> Upload:
    upload = make_upload(stage.app.extensions["settings"], content, f"{LONG_WORD}.csv")
    if values:
        Upload.update(**values).where(Upload.id == upload.id).execute()
    return upload


def page_of(upload: Upload) -> str:
    return f"/mairie/imports/{upload.id}"


@scene
def files_to_load(stage: Stage) -> TestResponse:
    for state in ("stored", "read", "refused", "agreed"):
        file_to_load(stage, state=state, author=LONG_EMAIL)
    return facturation(stage).get("/mairie/imports")


@scene
def no_file_chosen_to_load(stage: Stage) -> TestResponse:
    return send(facturation(stage), "/mairie/imports")


@scene
def the_history_of_loads_for_who_reads_only(stage: Stage) -> TestResponse:
    stage.invoice(stage.family())
    return enter(stage.app, make_agent(Role.CONTROLE)).get("/mairie/imports")


@scene
def a_file_with_doubts_to_judge(stage: Stage) -> TestResponse:
    family = stage.family(LONG_NAME)
    Guardian.create(family=family, first_name="Alice", last_name=LONG_NAME, email=LONG_EMAIL)
    Family.update(digest="x").execute()
    usual = ROW.replace("F1001", family.code).replace("2026-11-30", "2026-12-30")
    rows = [usual.replace("0001", f"8{number:03d}") for number in range(12)]
    large = usual.replace("0001", "8999").replace("14;3,45;48,30", "140;3,45;483,00")
    unknown = usual.replace("0001", "9001").replace(family.code, "F9999")
    upload = file_to_load(stage, sheet(*rows, rows[0], large, unknown))
    return facturation(stage).get(page_of(upload))


def rows_loaded(stage: Stage) -> list[str]:
    """Lines of a month that is loaded."""
    code = stage.family(LONG_NAME).code
    row = ROW.replace("F1001", code).replace("2026-10-0001", f"{code}-0" + "9" * 18)
    rows = [row.replace("-0", f"-{number}") for number in range(3)]
    path = stage.app.extensions["settings"].data / "octobre.csv"
    path.write_text(sheet(*rows), encoding="utf-8")
    imports.load(path, pdf_folder=path.parent)
    return rows


@scene
def a_month_exported_again_that_lacks_invoices(stage: Stage) -> TestResponse:
    return facturation(stage).get(page_of(file_to_load(stage, sheet(*rows_loaded(stage)[:2]))))


@scene
def to_treat_with_a_file_that_lacks_invoices(stage: Stage) -> TestResponse:
    file_to_load(stage, sheet(*rows_loaded(stage)[:2]))
    return facturation(stage).get("/mairie/a-traiter")


@scene
def the_same_file_again(stage: Stage) -> TestResponse:
    return facturation(stage).get(page_of(file_to_load(stage, sheet(*rows_loaded(stage)))))


@scene
def a_file_to_judge_again_as_the_database_changed(stage: Stage) -> TestResponse:
    row = ROW.replace("F1001", stage.family(LONG_NAME).code).replace("0001", "8" * 18)
    return facturation(stage).get(page_of(file_to_load(stage, sheet(row), changed=True)))


@scene
def families_to_judge(stage: Stage) -> TestResponse:
    content = FAMILIES.replace("F1001", f"F{LONG_WORD}"[:20]).replace("Martin", LONG_NAME)
    return facturation(stage).get(page_of(file_to_load(stage, content)))


@scene
def a_file_of_two_regies_to_judge(stage: Stage) -> TestResponse:
    with two_regies(stage, name=f"{LONG_WORD} {LONG_NAME}") as family:
        row = ROW.replace("F1001", family.code).replace("0001", "7" * 18)
        upload = file_to_load(stage, sheet(row, row.replace("777;", "770;").replace(
            "Restauration", "Multi-accueil")))  # fmt: skip
        return facturation(stage).get(page_of(upload))


@scene
def a_surprise_left_unconfirmed(stage: Stage) -> TestResponse:
    Family.update(digest="x").where(Family.id == stage.family().id).execute()
    page = page_of(
        file_to_load(stage, sheet(ROW.replace("0001", "9777").replace("F1001", "F9999")))
    )
    return send(facturation(stage), page, f"{page}/charger", fingerprint="x")


@scene
def a_file_that_is_refused(stage: Stage) -> TestResponse:
    wrong = sheet(ROW.replace("48,30", LONG_WORD), ROW.replace("2026-11-30", "jamais"))
    return facturation(stage).get(page_of(file_to_load(stage, wrong)))


def file_of_debtors(stage: Stage) -> Upload:
    family = stage.family(LONG_NAME)
    Family.update(address="1 rue des Lilas", postcode="44880").where(
        Family.id == family.id
    ).execute()
    Guardian.create(family=family, first_name="Alice", last_name="Martin")
    other = piece(line("1.00", name=LONG_WORD, first="BOB"), number="2", at=7)
    return file_to_load(stage, pes(piece(line()), other, total="88.45").decode("latin-1"))


@scene
def a_file_whose_debtors_are_unknown(stage: Stage) -> TestResponse:
    return facturation(stage).get(page_of(file_of_debtors(stage)))


@scene
def debtors_to_name(stage: Stage) -> TestResponse:
    return facturation(stage).get(f"{page_of(file_of_debtors(stage))}/familles")


@scene
def a_debtor_given_the_code_of_nobody(stage: Stage) -> TestResponse:
    address = f"{page_of(file_of_debtors(stage))}/familles"
    return send(facturation(stage), address, address, debtor_0="F99999", debtor_1="")


@scene
def columns_to_name(stage: Stage) -> TestResponse:
    upload = file_to_load(stage, f"N° pièce;{LONG_WORD};Total\nA1;{LONG_WORD};12,50\n")
    return facturation(stage).get(f"{page_of(upload)}/colonnes")


@scene
def columns_that_are_not_enough(stage: Stage) -> TestResponse:
    upload = file_to_load(stage, "N° pièce;Total\nA1;12,50\n")
    address = f"{page_of(upload)}/colonnes"
    return send(facturation(stage), address, address, column_0="numero_facture")


@scene
def a_file_being_read(stage: Stage) -> TestResponse:
    upload = file_to_load(stage, state="stored", done_count=41_000, line_count=120_000)
    return facturation(stage).get(page_of(upload))


@scene
def a_file_being_loaded_that_is_not_looked_at_again_by_itself(stage: Stage) -> TestResponse:
    upload = file_to_load(stage, state="agreed")
    return facturation(stage).get(f"{page_of(upload)}?arret=1")


@scene
def a_file_of_counter_payments_that_another_role_loads(stage: Stage) -> TestResponse:
    number = stage.invoice(stage.family()).number
    upload = file_to_load(stage, SETTLEMENTS.replace("2026-10-0001", number))
    return facturation(stage).get(page_of(upload))


def loaded_file(stage: Stage, client: FlaskClient) -> Upload:
    number = f"7{Upload.select().count():03d}"
    upload = file_to_load(stage, sheet(ROW.replace("0001", number).replace("F1001", f"F{number}")))
    page = page_of(upload)
    send(client, page, f"{page}/charger", fingerprint=upload.fingerprint, new_families="y")
    return upload


@scene
def a_file_that_is_loaded(stage: Stage) -> TestResponse:
    client = facturation(stage)
    return client.get(page_of(loaded_file(stage, client)))


@scene
def a_file_whose_load_was_undone(stage: Stage) -> TestResponse:
    client = facturation(stage)
    page = page_of(loaded_file(stage, client))
    batch = ImportBatch.select().order_by(ImportBatch.id.desc()).get()
    send(client, f"/mairie/imports/annuler/{batch.id}", reason=LONG_WORD, seen="y")
    return client.get(page)


@scene
def a_load_to_undo(stage: Stage) -> TestResponse:
    client = facturation(stage)
    loaded_file(stage, client)
    batch = ImportBatch.select().order_by(ImportBatch.id.desc()).get()
    return client.get(f"/mairie/imports/annuler/{batch.id}")


@scene
def a_load_to_undo_left_empty(stage: Stage) -> TestResponse:
    client = facturation(stage)
    loaded_file(stage, client)
    batch = ImportBatch.select().order_by(ImportBatch.id.desc()).get()
    return send(client, f"/mairie/imports/annuler/{batch.id}")


@scene
def a_load_that_is_not_undone(stage: Stage) -> TestResponse:
    stage.invoice(stage.family())
    batch = ImportBatch.select().order_by(ImportBatch.id).get()
    return facturation(stage).get(f"/mairie/imports/annuler/{batch.id}")


@scene
def nothing_kept_of_files(stage: Stage) -> TestResponse:
    return facturation(stage).get("/mairie/imports/reconnus?debiteur=personne")


@scene
def what_is_kept_of_files(stage: Stage) -> TestResponse:
    code = stage.family().code
    for number in range(55):
        named = Named(f"T{stage.families}{number}", LONG_NAME, "1 rue des Lilas", "44880 SAUTRON")
        codes.confirm({named: code}, "marie@example.org")
    row = {
        "numero_facture": "N°", "date_emission": "Le", "montant": "Total",
        "service": f"={LONG_WORD}", "code_famille": LONG_WORD,
    }  # fmt: skip
    mappings.keep(LONG_WORD, ["N°", "Le", "Total", LONG_WORD], row, "marie@example.org")
    return facturation(stage).get("/mairie/imports/reconnus")
