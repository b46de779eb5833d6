"""The templates of pages: a misspelt name is an error, and each speaks the language in force."""

import pytest
from flask import Flask, render_template_string
from jinja2 import UndefinedError

from kiosque.language import catalogue


@pytest.mark.parametrize(
    "source", ["{{ twon.name }}", "{{ town.nmae }}", "{% if twon %}{% endif %}"]
)
def test_a_misspelt_name_is_an_error_not_nothing(app: Flask, source: str) -> None:
    with app.test_request_context(), pytest.raises(UndefinedError):
        render_template_string(source)


def test_a_text_is_that_of_the_language_in_force(app: Flask) -> None:
    with app.test_request_context():
        source = '{{ _("Mes factures") }}'
        assert render_template_string(source) == "Mes factures"
        with catalogue.using("en"):
            assert render_template_string(source) == "My invoices"


def test_what_stands_in_a_text_is_escaped_and_the_text_is_html(app: Flask) -> None:
    with app.test_request_context():
        written = render_template_string('{{ _("Le&nbsp;%(x)s", x=value) }}', value="<b>")
    assert written == "Le&nbsp;&lt;b&gt;"
