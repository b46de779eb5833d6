"""What the law asks about the data of families: it is forgotten with age, exported and erased.

It holds what a family that has gone leaves behind (`departures`, `reduction`, `books`), what is
kept for a time only (`ageing`), and all that is held about one family (`held`, `export`). It may
import `mails` and what is below; it changes no amount. The way in: `forget()` with age, `erase()`
and `export()` for one family; `acts` remembers who asked for each. And what an agent does of a
whole family: `archiving` puts one away, `merging` gives another what is of its double.
"""

from kiosque.privacy.erasure import CannotErase, erase
from kiosque.privacy.export import CannotExport, export
from kiosque.privacy.forgetting import LEASE, Forgotten, forget

__all__ = ["LEASE", "CannotErase", "CannotExport", "Forgotten", "erase", "export", "forget"]
