"""The town hall's area, `/mairie`: one module a subject, all on one blueprint."""

from kiosque.web.views.office import agents, events, families, sign_in, today
from kiosque.web.views.office.area import blueprint

__all__ = ["agents", "blueprint", "events", "families", "sign_in", "today"]
