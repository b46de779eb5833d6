"""Check each bank: the page where payers are sent answers, the bank accepts our settings, and the
town has not closed it.

The second is checked only where the bank can be asked. Nothing is paid nor created there.
"""

import contextlib
import http.client

from gateways.base import Checks, Gateway, GatewayError
from gateways.network import Network
from kiosque import payments, resources
from kiosque.checkup import http_client
from kiosque.checkup.database import DatabaseUnreadable, reading
from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.installation import Installation
from kiosque.db.models import BankClosure
from kiosque.language import formats

SECONDS = 6


def check_bank(installation: Installation, name: str) -> Result:
    """Report the troubles of one bank: as broken if families pay by it now, else as to look at."""
    found, gateway = Findings(), installation.gateways[name]
    closure = _closure(installation, name)
    if closure:
        until = formats.long_instant(closure.until_at)
        found.look(
            f"fermée aux familles jusqu’au {until}, par {closure.author}",
            f"« {resources.typed(f'open-bank {name}')} » la rouvre avant.",
        )
    tell = found.broken if name in installation.in_force and not closure else found.look
    troubles = [
        *_page_troubles(gateway, installation.network),
        *_settings_troubles(installation, name, gateway),
    ]
    for what, advice in troubles:
        tell(what, advice)
    if not troubles:
        asked = ", et la banque accepte ces réglages" if isinstance(gateway, Checks) else ""
        found.see(f"{_host(gateway)} répond{asked}")
    return found.result(f"Banque {name}")


def _closure(installation: Installation, name: str) -> BankClosure | None:
    """Return the closure in force, or None where there is none or the database says nothing."""
    with contextlib.suppress(DatabaseUnreadable), reading(installation):
        return payments.closed_banks().get(name)
    return None


def _host(gateway: Gateway) -> str:
    return gateway.form_origin.partition("://")[2]


def _page_troubles(gateway: Gateway, network: Network) -> list[tuple[str, str]]:
    """Return [(fault, remedy)]; any answer below 500 is good, as no page in particular is asked."""
    out = "Voyez si cette machine atteint Internet (« curl -I »), le pare-feu en sortie, le DNS."
    if network.proxy:
        out = "Voyez [network] : le serveur mandataire, et l’autorité de la ville (« curl -I -x »)."
    try:
        url = f"{gateway.form_origin}/"
        reply = http_client.ask("HEAD", url, seconds=SECONDS, network=network)
    except (OSError, http.client.HTTPException) as error:
        return [(f"{_host(gateway)}\u00a0: {http_client.say(error)}", out)]
    if reply.status >= 500:
        return [(f"{_host(gateway)} est en panne ({reply.status})", "Réessayez plus tard.")]
    return []


def _settings_troubles(
    installation: Installation, name: str, gateway: Gateway
) -> list[tuple[str, str]]:
    if not isinstance(gateway, Checks):
        return []
    advice = (
        f"Comparez [gateways.{name}] ({installation.settings_file}) au back office de la banque ; "
        "si la banque est seulement lente ou en panne, réessayez plus tard."
    )
    try:
        return [(fault, advice) for fault in gateway.check()]
    except GatewayError as error:
        return [(f"gateways.{name} : {error}", advice)]
