"""The QR code of letters and invoices: the sign-in page, the code famille filled in, no secret."""

import dataclasses
from io import BytesIO

import pytest
import segno
from flask.testing import FlaskClient

from kiosque.db.models import Invoice
from kiosque.papers import content, qr_code, receipts_and_invoices
from kiosque.papers.activation_letters import letters
from kiosque.settings import Settings
from tests import pdfs
from tests.kiosque.papers.test_activation_letters import LETTER


def test_an_invoice_carries_the_sign_in_page_with_its_familys_code(
    settings: Settings, october: Invoice
) -> None:
    made = receipts_and_invoices.invoice(settings, content.invoice_document(october))
    assert pdfs.links(made) == ["http://127.0.0.1:8000/connexion?code=F1001"]
    assert "Figure" in pdfs.tags(made)
    assert not pdfs.faults(made)


def test_a_letter_carries_it_without_its_activation_code(settings: Settings) -> None:
    made = letters(settings, [LETTER])
    assert pdfs.links(made) == ["http://127.0.0.1:8000/connexion?code=F1001"]
    assert not pdfs.faults(made)


@pytest.mark.parametrize("code", ["F1001", "É 1/2&next=//evil.example.org#", "F" * 100])
def test_the_image_is_that_of_the_address_and_the_page_fills_the_code_in(
    settings: Settings, stranger: FlaskClient, code: str
) -> None:
    made = qr_code.sign_in(settings, code)
    expected = BytesIO()
    segno.make(str(made["address"]), error="m", micro=False).save(expected, kind="svg", border=4)
    assert made["image"] == list(expected.getvalue())
    address = str(made["address"]).removeprefix(settings.public_url)
    page = stranger.get(address).text
    filled = page.partition('name="code" value="')[2].partition('"')[0]
    assert filled.replace("&amp;", "&") == code


def test_letters_stay_a_page_each(settings: Settings) -> None:
    others = [dataclasses.replace(LETTER, family_code=f"F{n}") for n in range(3)]
    made = letters(settings, others)
    assert len(pdfs.reader(made).pages) == 3
