"""A family's way in, from the letter or the mail in its hands to its invoices."""

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests import pdfs, sentences
from tests.browser.conftest import Demo, Household, Visitor
from tests.mailbox import plain_of

pytestmark = pytest.mark.browser
Make = Callable[[str], Household]

FAMILY = (
    "code_famille;role;nom;prenom;courriel;telephone;adresse;code_postal;ville;date_naissance;"
    "services\n{code};responsable;Roux;Alice;{email};;1 rue des Lilas;44999;Clairvigne;;\n"
)


def test_from_the_letter_to_the_invoices(
    visitor: Visitor, household: Make, town: Demo, tmp_path: Path
) -> None:
    household("LETTER")
    letter = tmp_path / "lettre.pdf"
    assert "1 lettre" in town.command("letters", "LETTER", "--output", str(letter))
    text = pdfs.text(letter.read_bytes())
    (code,) = re.findall(r"\b[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{5}\b", text)
    page = visitor.page
    (on_paper,) = pdfs.links(letter.read_bytes())  # its QR code leads there too
    page.goto(on_paper)
    expect(page.locator("[name=code]")).to_have_value("LETTER")
    page.click("text=Première connexion")
    page.wait_for_url("**/activer?code=LETTER")
    expect(page.locator("[name=code]")).to_have_value("LETTER")
    visitor.look()
    page.fill("[name=activation]", code.upper().replace("-", " "))
    page.fill("[name=new]", "court")
    page.click("main button:not([type])")
    expect(page.locator("#erreurs")).to_contain_text("au moins 12 caractères")
    visitor.look()
    assert page.input_value("[name=activation]") == code.upper().replace("-", " ")
    page.fill("[name=new]", "le chat dort sous la lune")
    page.click("main button:not([type])")
    page.wait_for_url("**/factures")
    expect(page.locator("[name=invoice]")).to_have_count(2)
    visitor.look()
    page.click("text=Facture LETTER-1")
    pdf = page.get_by_role("link", name="Télécharger la facture").get_attribute("href")
    assert pdfs.links(page.request.get(f"{town.url}{pdf}").body()) == [on_paper]


@pytest.mark.slow
def test_from_a_forgotten_password_to_the_invoices_of_each_of_two_families_of_one_address(
    visitor: Visitor, household: Make, town: Demo, tmp_path: Path
) -> None:
    household("FORGOTA")
    household("FORGOTB")
    record, email = tmp_path / "familles.csv", "forgot@example.org"
    columns, line = FAMILY.format(code="FORGOTA", email=email).splitlines()
    other = line.replace("FORGOTA", "FORGOTB").replace("Alice", "Bob")
    record.write_text(f"{columns}\n{line}\n{other}\n", encoding="utf-8")
    town.command("import", "--allow-removals", str(record))
    page = visitor.page
    page.goto(f"{town.url}/connexion")
    page.click("text=Mot de passe oublié")
    page.wait_for_url("**/oublie")
    visitor.look()
    page.fill("[name=email]", "Forgot@Example.org")
    page.click("main button:not([type])")
    expect(page.locator("h1")).to_have_text("Regardez votre messagerie")
    visitor.look()
    address = link_to(town, email, about="Roux (Alice)")
    page.goto(link_to(town, email, about="Roux (Bob)"))
    expect(page.locator(".lead")).to_have_text("Famille Roux, code famille FORGOTB")
    page.goto(address)
    assert page.url == f"{town.url}/mot-de-passe/nouveau"
    expect(page.locator(".lead")).to_have_text("Famille Roux, code famille FORGOTA")
    visitor.look()
    page.fill("[name=new]", "le chat dort sous la lune")
    page.click("main button:not([type])")
    page.wait_for_url("**/factures")
    visitor.look()
    page.goto(address)
    expect(page.locator("h1")).to_have_text(sentences.LINK_DEAD)
    visitor.look()


def link_to(town: Demo, recipient: str, kind: str = "reset", about: str = "") -> str:
    """The link of the mail for this address that says so, at this demo's own port: the command
    that sends it too reads the one in the settings."""
    for _ in range(10):
        town.command("send-mail")
        for path in (town.data / "outbox").glob(f"*-{kind}-*.eml"):
            message = message_from_bytes(path.read_bytes(), policy=policy.default)
            if message["To"] == recipient and about in (text := plain_of(message)):
                return town.url + re.findall(r"/lien/\S+", text)[0]
    raise AssertionError("no mail came")
