"""Banks that take no new payment for a time: their maintenance, announced or not.

What is under way goes on: the bank's messages are recorded, it is asked about attempts, and money
is given back.
"""

from datetime import datetime, timedelta

from kiosque.db import write
from kiosque.db.models import BankClosure
from kiosque.db.prepared import PreparedQuery
from kiosque.language import clock, formats
from kiosque.language.catalogue import gettext as _
from kiosque.payments.refusals import Refused, why_no_author

#: A longer closure is another decision: it must not be forgotten.
LONGEST = timedelta(days=31)
LONGEST_SENTENCE = 300


def close_bank(gateway: str, sentence: str, until: datetime, author: str) -> BankClosure:
    """Take no new payment at this bank until an instant. Families read the sentence, or a standard
    one if it is empty. Raises Refused."""
    now, sentence = clock.now(), sentence.strip()
    if fault := why_no_author(author):
        raise Refused([fault])
    if not now < until <= now + LONGEST:
        latest = formats.short_date(clock.paris_date(now + LONGEST))
        raise Refused([f"La fin est à venir, et au plus tard le {latest}."])
    if len(sentence) > LONGEST_SENTENCE or not sentence.isprintable():
        raise Refused([f"La phrase tient en une ligne de {LONGEST_SENTENCE} lettres au plus."])
    with write():
        BankClosure.delete().where(BankClosure.gateway == gateway).execute()
        return BankClosure.create(
            gateway=gateway, sentence=sentence, closed_at=now, until_at=until, author=author
        )


def open_bank(gateway: str) -> bool:
    """Take new payments again. Return False for a bank that was not closed."""
    with write():
        in_force = BankClosure.until_at > clock.now()
        closed = BankClosure.select().where(BankClosure.gateway == gateway, in_force).exists()
        BankClosure.delete().where(BankClosure.gateway == gateway).execute()
    return bool(closed)


def closure_words() -> dict[str, str]:
    """Return what families read of each bank closed now, by gateway, in the language in force."""
    return {name: _words(closure) for name, closure in closed_banks().items()}


def _words(closure: BankClosure) -> str:
    said = closure.sentence or _(
        "Le paiement en ligne est suspendu\u00a0: la banque est en maintenance."
    )
    until = _("Il reprendra le %(instant)s. Vos factures restent à régler.")
    return f"{said} {until % {'instant': formats.long_instant(closure.until_at)}}"


def closed_banks() -> dict[str, BankClosure]:
    """Return the closures in force, by gateway. They end by themselves."""
    return {each.gateway: each for each in _IN_FORCE.models(now=clock.now())}


_IN_FORCE = PreparedQuery(lambda now: BankClosure.select().where(BankClosure.until_at > now))
