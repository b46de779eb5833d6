"""The duties of the law towards the data of families: forgotten with age, exported and erased.

`departures`, `reduction` and `books` reduce the record of a family that has gone to what the
accounts need; `ageing` lists the rows kept for a time only; `personal_data` and `export` gather
all that is held about one family; `archiving` puts a family away, `merging` joins it to its double.
It may import `mails` and what is below; it changes no amount. The way in: `forget()` with age,
`erase()` and `export()` for one family; `acts` remembers who asked for each.
"""

from kiosque.privacy.erasure_on_request import CannotErase, erase
from kiosque.privacy.export import CannotExport, export
from kiosque.privacy.forgetting import LEASE, Forgotten, forget

__all__ = ["LEASE", "CannotErase", "CannotExport", "Forgotten", "erase", "export", "forget"]
