"""Templates made ready once a language write what they would have written at each page."""

from collections.abc import Callable

import pytest
from flask import Flask, render_template, url_for
from jinja2 import DictLoader
from markupsafe import Markup

from kiosque.language import catalogue

Write = Callable[..., str]
NASTY = 'L\'<b> & "co" %(name)s %% é/?#'


@pytest.fixture
def write(app: Flask) -> Write:
    """Render a template given as text, in a language."""

    def go(source: str, language: str = "fr", **values: object) -> str:
        name = f"{abs(hash(source))}.html"
        app.jinja_env.loader = DictLoader({name: source, "base.txt": "x"})
        with app.test_request_context(), catalogue.using(language):
            return render_template(name, **values)

    return go


def test_a_text_is_that_of_the_language_in_force_one_page_after_another(write: Write) -> None:
    for _ in range(2):
        assert write('{{ _("Mes factures") }}') == "Mes factures"
        assert write('{{ _("Mes factures") }}', "en") == "My invoices"


@pytest.mark.parametrize(
    "source",
    [
        '{{ _("Facture %(number)s", number=value) }}',
        '{% set text = _("Facture %(number)s", number=value) %}{{ text }}',
        "{% trans number=value %}Facture {{ number }}{% endtrans %}",
        '{% macro m(t) %}{{ t }}{% endmacro %}{{ m(_("Facture %(number)s", number=value)) }}',
    ],
)
def test_what_stands_in_a_text_is_escaped_once(write: Write, source: str) -> None:
    assert write(source, value=NASTY) == Markup("Facture {}").format(NASTY)
    assert write(source, value=Markup("<b>")) == "Facture <b>"
    assert write(source, value=12) == "Facture 12"


def test_a_texts_own_html_and_percents_are_kept(write: Write) -> None:
    assert write('{{ _("Le&nbsp;<b>site") }}') == "Le&nbsp;<b>site"
    assert write('{{ _("10 %% de %(x)s", x=value) }}', value="y") == "10 % de y"


def test_a_texts_own_html_is_kept_where_only_constants_are_put_together(write: Write) -> None:
    assert write('{{ _("Le&nbsp;<b>site") ~ " & " if value }}', value=1) == "Le&nbsp;<b>site &amp; "
    assert write('{{ _("<b>%(x)s</b>", x="<i>") if value }}', value=1) == "<b>&lt;i&gt;</b>"


@pytest.mark.parametrize("value", [NASTY, "", "é", "'\"<>", None, 1.5, Markup("<i>")])
def test_every_value_is_written_as_jinja_itself_escapes_it(write: Write, value: object) -> None:
    assert write("{{ value }}{% block b %}{{ value }}{% endblock %}", value=value) == str(
        Markup("{0}{0}").format(value)
    )


@pytest.mark.parametrize("number", ["2026-10-0001", "F/2026/12", NASTY, "é ~_", "%00"])
def test_an_address_is_the_one_flask_builds(app: Flask, write: Write, number: str) -> None:
    with app.test_request_context():
        expected = url_for("family.invoice", number=number)
    assert write("{{ url_for('family.invoice', number=value) }}", value=number) == str(
        Markup.escape(expected)
    )


def test_an_address_with_a_query_is_left_to_flask(write: Write) -> None:
    assert write("{{ url_for('family.invoices', page=2) }}") == "/factures?page=2"
    assert write("{{ url_for('family.receipt', number=7) }}") == "/recus/7"


def test_a_misspelt_name_is_an_error_not_nothing(write: Write) -> None:
    with pytest.raises(AttributeError):
        write("{{ value.nmae }}", value=Markup("x"))


@pytest.mark.parametrize(("count", "words"), [(0, "0 mot"), (1, "1 mot"), (2, "2 mots")])
def test_a_plural_is_that_of_french(write: Write, count: int, words: str) -> None:
    one, many = "{{ count }} mot{{ x }}", "{{ count }} mots{{ x }}"
    plural = f"{{% trans count=n, x=value %}}{one}{{% pluralize %}}{many}{{% endtrans %}}"
    assert write(plural, n=count, value="<") == f"{words}&lt;"
    assert (
        write(f"{{% set text %}}{plural}{{% endset %}}{{{{ text }}}}", n=count, value="") == words
    )


def test_a_choice_is_escaped_as_what_it_chooses(write: Write) -> None:
    choice = '{{ value if n else _("<b>%(x)s</b>", x=value) }}-{{ value if not n }}'
    assert write(choice, n=1, value="<") == "&lt;-"
    assert write(choice, n=0, value="<") == "<b>&lt;</b>-&lt;"
