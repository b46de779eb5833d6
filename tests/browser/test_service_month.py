"""The month of the town's service, in browsers alone: files in, a parent answered, money out.

The file is what a family software writes: see the samples' own notes.
"""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosque.language import clock
from tests.browser.conftest import COLUMNS, Demo, Household, Visitor, open_context
from tests.browser.test_office_imports import come_in

pytestmark = [pytest.mark.browser, pytest.mark.proof, pytest.mark.slow]

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "noethysweb"
PEOPLE = (
    "code_famille;role;nom;prenom;courriel;telephone;adresse;code_postal;ville;date_naissance;"
    "services"
)
#: So many families have moved since: their address in the file is not the town's.
MOVED = 2
#: Those, and one whose name the file cuts.
DOUBTFUL = 3
PASSWORD = "un tramway orange sous la pluie"


@pytest.fixture(scope="module")
def truth() -> list[dict[str, Any]]:
    """The invoices of the month, as the family software's own database has them."""
    if not SAMPLES.exists():
        pytest.skip("les échantillons ne sont pas à côté du projet")
    found: list[dict[str, Any]] = json.loads((SAMPLES / "truth.json").read_text("utf-8"))["lots"][
        "A"
    ]["factures"]
    return found


@pytest.fixture
def pes(truth: list[dict[str, Any]], tmp_path: Path) -> Path:
    """The month's PES file, dated today."""
    text = (SAMPLES / "pes_orm.xml").read_text("iso-8859-1")
    path = tmp_path / "pes_orm.xml"
    path.write_text(re.sub("2026-11-0[35]", str(clock.today()), text), "iso-8859-1")
    return path


@pytest.fixture
def families(truth: list[dict[str, Any]], tmp_path: Path) -> Path:
    """The families of the month; the first ones live elsewhere than the PES says."""
    rows: dict[str, str] = {}
    for invoice in truth:
        code, payer = f"N{invoice['idfamille']}", invoice["titulaire"]
        has_moved = len(rows) < MOVED and code not in rows
        street = "1 rue du Marché" if has_moved else " ".join(payer["rue"].split())
        rows.setdefault(
            code,
            f"{code};responsable;{payer['nom']};{payer['prenom']};{invoice['mail']};;{street};"
            f"{payer['cp']};{payer['ville']};;",
        )
    path = tmp_path / "familles.csv"
    path.write_text("\n".join([PEOPLE, *rows.values(), ""]), "utf-8")
    return path


def deposit(agent: Visitor, path: Path) -> None:
    agent.page.goto(f"{agent.town.url}/mairie/imports")
    agent.page.set_input_files("[name=file]", path)
    agent.page.click("text=Déposer pour vérifier")
    agent.page.wait_for_url(re.compile(r"/mairie/imports/\d+$"))
    agent.look()


def load(agent: Visitor) -> None:
    """Tick what is to be confirmed, and load."""

    for box in agent.page.locator("main form input[type=checkbox]").all():
        box.check()
    agent.follow("main form:has([name=fingerprint]) button")
    expect(agent.page.locator("main")).to_contain_text("C’est chargé")


@pytest.fixture
def pages(browser: Browser) -> Iterator[list[Page]]:
    """Three browsers: of an agent, of the régisseur, of a parent."""
    contexts = [open_context(browser, accept_downloads=True) for _ in range(3)]
    yield [context.new_page() for context in contexts]
    for context in contexts:
        context.close()


def test_the_month_of_the_service(
    town: Demo, pages: list[Page], truth: list[dict[str, Any]], families: Path, pes: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    agent, regisseur, parent = (Visitor(page, town) for page in pages)
    come_in(agent, town, "facturation")
    come_in(regisseur, town, "regisseur")
    deposit(agent, families)
    load(agent)
    deposit(agent, pes)
    name_the_doubtful(agent)
    load(agent)
    expect(agent.page.locator("main")).to_contain_text("60 sur 60")

    family = first_access(agent, parent, truth)
    parent.go_to_bank(family)
    parent.pay()
    assert parent.title() == "Paiement effectué"
    ask(parent, "/famille/demande", "address", "Nous habitons au 4 rue du Bac, 44300 Nantes.")
    ask(parent, f"/factures/{family.invoices[0]}/question", "absence", "Il était malade.")

    reply(agent, "absence", "refuse", "Il était inscrit ce jour-là.")
    address = {"address": "4 rue du Bac", "postcode": "44300", "city": "Nantes"}
    reply(agent, "adresse", "accept", "C’est fait.", **address)
    parent.page.goto(f"{town.url}/famille")
    expect(parent.page.locator("main")).to_contain_text("4 rue du Bac")

    mixed = next(each for each in truth if each["total_cents"] > 5000 and not is_of(each, family))
    note_mixed_payment(regisseur, str(mixed["numero"]), "30,00")
    refund(regisseur, parent, family)
    undo_a_wrong_load(agent, family, tmp_path)
    export(regisseur, str(mixed["numero"]))


def name_the_doubtful(agent: Visitor) -> None:
    """Of those that the town cannot know again for sure, say which family each is."""
    agent.follow("text=Dire de quelles familles il s’agit")
    doubtful = 0
    for field in agent.page.locator("main form .field").all():
        if not field.locator("input").input_value():
            hint = re.search(r"Peut-être (\w+)", field.inner_text())
            assert hint
            field.locator("input").fill(hint[1])
            doubtful += 1
    assert doubtful == DOUBTFUL
    agent.page.click("text=Retenir ces codes et relire le fichier")
    agent.page.wait_for_url(re.compile(r"/mairie/imports/\d+$"))
    agent.look()


def first_access(agent: Visitor, parent: Visitor, truth: list[dict[str, Any]]) -> Household:
    """A family with two invoices gets a password, and chooses its own."""
    numbers: dict[str, list[str]] = {}
    for invoice in truth:
        if invoice["total_cents"] > 2000:
            numbers.setdefault(f"N{invoice['idfamille']}", []).append(str(invoice["numero"]))
    code, found = next((code, found) for code, found in numbers.items() if len(found) == 2)
    agent.page.goto(f"{agent.town.url}/mairie/familles/{code}")
    agent.look()
    agent.page.click("text=Mot de passe provisoire")
    agent.page.fill("[name=reason]", "au guichet, carte d’identité vue")
    agent.page.check("[name=seen]")
    agent.follow("main form button.button")
    password = agent.page.inner_text(".reference")
    parent.page.goto(f"{parent.town.url}/connexion")
    parent.page.fill("[name=code]", code)
    parent.page.fill("[name=password]", password)
    parent.page.click("main button:not([type])")
    parent.page.fill("[name=new]", PASSWORD)
    parent.page.click("main button:not([type])")
    parent.page.wait_for_url("**/factures")
    parent.look()
    return Household(code, PASSWORD, (found[0], found[1]))


def is_of(invoice: dict[str, Any], family: Household) -> bool:
    return f"N{invoice['idfamille']}" == family.code


def ask(parent: Visitor, page: str, topic: str, message: str) -> None:
    parent.page.goto(f"{parent.town.url}{page}")
    parent.page.check(f"[name=topic][value={topic}]")
    parent.page.fill("[name=message]", message)
    parent.follow("main form button:not([type])")


def reply(agent: Visitor, topic: str, decision: str, words: str, **values: str) -> None:
    agent.page.goto(f"{agent.town.url}/mairie/demandes")
    agent.look()
    subject = "enfant n’était pas là" if topic == "absence" else topic
    agent.follow(f"main a:has-text('{subject}')")
    agent.page.check(f"[name=decision][value={decision}]")
    for name, value in values.items():
        agent.page.fill(f"[name={name}]", value)
    agent.page.fill("[name=words]", words)
    agent.page.click("text=Répondre à la famille")
    agent.page.wait_for_url("**/mairie/demandes")
    agent.look()


def confirm(regisseur: Visitor) -> None:
    """See what will happen, then let it."""
    regisseur.follow("text=Vérifier")
    regisseur.page.check("[name=seen]")
    regisseur.follow("main form button.button:not(.outline)")


def note_mixed_payment(regisseur: Visitor, number: str, cesu: str) -> None:
    """Found by its number, an invoice is paid partly in CESU, the rest in cash."""
    regisseur.page.fill("#aller", number)
    regisseur.page.press("#aller", "Enter")
    regisseur.page.wait_for_url(f"**/mairie/factures/{number}")
    regisseur.look()
    regisseur.page.click("text=Noter un paiement au guichet")
    left = regisseur.page.input_value("[name=amount]")
    rest = round(float(left.replace(",", ".")) - float(cesu.replace(",", ".")), 2)
    regisseur.page.select_option("[name=mode]", "cesu")
    regisseur.page.fill("[name=amount]", cesu)
    regisseur.page.select_option("[name=other_mode]", "cash")
    regisseur.page.fill("[name=other_amount]", f"{rest:.2f}".replace(".", ","))
    regisseur.page.fill("[name=reason]", "carnet 12")
    confirm(regisseur)
    expect(regisseur.page.locator("main")).to_contain_text("par CESU, au guichet")
    expect(regisseur.page.locator("main")).to_contain_text("en espèces, au guichet")


def refund(regisseur: Visitor, parent: Visitor, family: Household) -> None:
    """By the mock bank: what the payment paid is due again, and the parent sees it."""
    regisseur.page.goto(f"{regisseur.town.url}/mairie/encaissements?famille={family.code}")
    regisseur.look()
    regisseur.follow("main table a")
    regisseur.page.click("main a:has-text('Rembourser')")
    regisseur.page.fill("[name=reason]", "un mois facturé à tort")
    confirm(regisseur)
    expect(regisseur.page.locator("main")).to_contain_text("Rendu ou repris")
    parent.page.goto(f"{parent.town.url}/factures/{family.invoices[0]}")
    expect(parent.page.locator("main")).to_contain_text("À régler")


def undo_a_wrong_load(agent: Visitor, family: Household, folder: Path) -> None:
    """Loaded by mistake, then as if it had never come."""
    path, today = folder / "essai.csv", clock.today()
    row = f"{family.code};ESSAI-1;{today};{today};2026-11;Mercredi;Zoé;Journée;1;8,45;8,45;"
    path.write_text(f"{COLUMNS}\n{row}\n", "utf-8")
    deposit(agent, path)
    load(agent)
    agent.page.click("text=Annuler ce chargement")
    agent.page.fill("[name=reason]", "ce n’est pas le bon fichier")
    agent.page.check("[name=seen]")
    agent.page.click("button:has-text('Annuler ce chargement')")
    agent.page.wait_for_url("**/mairie/imports")
    agent.look()
    agent.page.goto(f"{agent.town.url}/mairie/factures?numero=ESSAI-1")
    expect(agent.page.locator("main")).not_to_contain_text("8,45")


def export(regisseur: Visitor, mixed: str) -> None:
    """Take out all that is new to the family software: the mixed payment, by its two modes."""
    regisseur.follow("nav >> text=Encaissements")
    regisseur.follow("text=Pour le logiciel famille")
    with regisseur.page.expect_download() as given:
        regisseur.page.click("text=Exporter (CSV)")
    lines = given.value.path().read_text("utf-8-sig").splitlines()
    rows = [row for row in csv.DictReader(lines, delimiter=";") if row["facture"] == mixed]
    modes = {row["mode"]: row["montant"] for row in rows}
    assert modes.pop("par CESU, au guichet") == "30,00"
    assert [*modes] == ["en espèces, au guichet"]
