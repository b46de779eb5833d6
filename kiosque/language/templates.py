"""Jinja's templates: where they are, and how they translate texts and write amounts and dates."""

from functools import cache
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound, select_autoescape
from markupsafe import Markup, escape

from kiosque import resources
from kiosque.language import catalogue, clock, formats

TEMPLATES = resources.find("templates")

#: How templates, of pages and of mails, write amounts and dates.
FILTERS = {
    "bought": lambda it: formats.bought(it.period, it.children, it.services),
    "capital": formats.capital,
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


def bought(it: Any) -> Markup:
    """Write on a page what an invoice is for."""
    period, children, services = map(escape, (it.period, it.children, french(it.services)))
    return Markup(formats.bought(period, children, services))  # noqa: S704  # all is escaped


@cache
def _texts() -> dict[str, str]:
    """Read all templates, once a process."""
    paths = [path for path in TEMPLATES.rglob("*") if path.is_file()]
    return {path.relative_to(TEMPLATES).as_posix(): path.read_text("utf-8") for path in paths}


class Sources(BaseLoader):
    """Read all templates now and never again: an upgrade may replace the files under a site that
    runs. Each is compiled when it is first needed."""

    def __init__(self) -> None:
        self._texts = _texts()

    def list_templates(self) -> list[str]:
        return sorted(self._texts)

    def get_source(self, _environment: Environment, template: str) -> tuple[str, str, None]:
        """Return a template and, for tracebacks, its file. Raise TemplateNotFound."""
        if template not in self._texts:
            raise TemplateNotFound(template)
        return self._texts[template], str(TEMPLATES / template), None


def environment() -> Environment:
    """Make the environment of the templates that are no pages: mails, and texts in Markdown."""
    made = Environment(
        loader=Sources(),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(FILTERS)
    translate(made)
    return made
