"""Jinja's templates: where they are, and how they translate texts and write amounts and dates."""

from collections.abc import Callable

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from kiosque import resources
from kiosque.language import catalogue, clock, formats

TEMPLATES = resources.find("templates")

#: How templates, of pages and of mails, write amounts and dates.
FILTERS = {
    "capital": lambda text: text[:1].upper() + text[1:],
    "translated": catalogue.gettext,
    "euros": formats.format_euros,
    "hundredths": formats.format_hundredths,
    "short_date": formats.short_date,
    "long_date": formats.long_date,
    "long_instant": formats.long_instant,
    "period": formats.period,
    "paris_hour": formats.paris_hour,
    "paris_date": clock.paris_date,
}


def translate(environment: Environment) -> None:
    """Give templates `_()`, `ngettext()` and `{% trans %}`."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(catalogue.gettext, catalogue.ngettext, newstyle=True)  # type: ignore[attr-defined]  # added by the extension


def french(text: str) -> str | Markup:
    """Mark a text of the town's files as French, for readers in another language: a screen reader
    then pronounces it well."""
    if catalogue.is_source() or not text:
        return text
    return Markup('<span lang="fr">{}</span>').format(text)


def environment(folder: str) -> Environment:
    """Make the environment of the templates of a folder that are no pages: mails, and texts in
    Markdown."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(FILTERS)
    translate(made)
    compile_all(made, lambda name: name.startswith(f"{folder}/"))
    return made


def compile_all(environment: Environment, wanted: Callable[[str], bool]) -> None:
    """Read these templates now and never again: an upgrade may replace the files under a site that
    runs."""
    for name in environment.list_templates(filter_func=wanted):
        environment.get_template(name)
