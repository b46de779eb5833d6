"""The town hall's area, `/mairie`: one module a subject, all on one blueprint.

There is about one agent for a hundred families. So a worker knows the addresses from the start, but
imports the module of a subject only when one of its pages is first asked for.
"""

from typing import Any

from kiosque.web.lazy_views import Later
from kiosque.web.office.access import reserved
from kiosque.web.office.pages_and_roles import PAGES, OfficePage
from kiosque.web.views.office.area import blueprint

__all__ = ["blueprint"]


def _view(subject: str, page: OfficePage) -> Any:
    later = Later(f"{__name__}.{subject}", page.view)
    return later if page.roles is None else reserved(later, page.roles, fresh=page.fresh)


for _subject, _pages in PAGES.items():
    _views = {page.view: _view(_subject, page) for page in _pages}
    for _page in _pages:
        blueprint.add_url_rule(
            _page.address,
            _page.view,
            _views[_page.view],
            methods=_page.methods,
            defaults=_page.defaults or {},
        )
