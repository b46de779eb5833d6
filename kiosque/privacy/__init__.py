"""The duties of the law towards the data of families: forgotten with age, exported and erased.

`erasure` takes a family's record away, at its request or once `inactive_families` finds it gone;
`retention` lists what is kept for a time only, `ten_year_accounts` takes names off old accounts;
`personal_data` and `export` gather what is held about a family, `archiving` and `merging` move it.
It may import `mails` and what is below; it changes no amount. The way in: `forget()` with age,
`erase()` and `export()` for one family; `acts` remembers who asked for each.
"""

from kiosque.privacy.erasure import CannotErase, erase
from kiosque.privacy.export import CannotExport, export
from kiosque.privacy.forgetting import LEASE, Forgotten, forget

__all__ = ["LEASE", "CannotErase", "CannotExport", "Forgotten", "erase", "export", "forget"]
