"""Check each bank: the page where payers are sent answers, and the bank accepts our settings.

The second is checked only where the bank can be asked. Nothing is paid nor created there.
"""

import http.client

from gateways.base import Checks, Gateway, GatewayError
from gateways.network import Network
from kiosque.checkup import http_client
from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.installation import Installation

SECONDS = 6


def check_bank(installation: Installation, name: str) -> Result:
    """Report the troubles of one bank: broken if it is in force, else to look at."""
    found, gateway = Findings(), installation.gateways[name]
    tell = found.broken if name in installation.in_force else found.look
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
