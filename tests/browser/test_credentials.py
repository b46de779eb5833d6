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
    page.goto(town.url)
    page.click("text=Première connexion")
    page.wait_for_url("**/activer")
    visitor.look()
    page.fill("[name=code]", "letter")
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


@pytest.mark.slow
def test_from_a_forgotten_password_to_the_invoices(
    visitor: Visitor, household: Make, town: Demo, tmp_path: Path
) -> None:
    household("FORGOT")
    record, email = tmp_path / "familles.csv", "forgot@example.org"
    record.write_text(FAMILY.format(code="FORGOT", email=email), encoding="utf-8")
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
    address = link_to(town, email)
    page.goto(address)
    assert page.url == f"{town.url}/mot-de-passe/nouveau"
    expect(page.locator(".lead")).to_have_text("Famille Roux, code famille FORGOT")
    visitor.look()
    page.fill("[name=new]", "le chat dort sous la lune")
    page.click("main button:not([type])")
    page.wait_for_url("**/factures")
    visitor.look()
    page.goto(address)
    expect(page.locator("h1")).to_have_text(sentences.LINK_DEAD)
    visitor.look()


def link_to(town: Demo, recipient: str, kind: str = "reset") -> str:
    """The link of the mail for this address, at this demo's own port: the command that sends it
    too reads the one in the settings."""
    for _ in range(10):
        town.command("send-mail")
        for path in (town.data / "outbox").glob(f"*-{kind}-*.eml"):
            message = message_from_bytes(path.read_bytes(), policy=policy.default)
            if message["To"] == recipient:
                return town.url + re.findall(r"/lien/\S+", plain_of(message))[0]
    raise AssertionError("no mail came")
