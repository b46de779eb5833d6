"""Check that a bank's notifications reach the site: post one as a bank does.

The form is as long and as odd as a bank's, and carries a token of ours (`kiosque.web.probe`): the
site proves who it is, refuses the form and writes nothing. It is posted only once the public
address has proved to be this very site, since another one might keep it.
"""

import http.client
from urllib.parse import urlencode

from kiosque.checkup import http_client, public_address
from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.http_client import Reply
from kiosque.checkup.installation import Installation
from kiosque.web import probe

#: Time that a bank gives us to answer, connection included; then it counts a failure (Lyra: 10 s).
BANK_SECONDS = 10
#: Fields like those of a bank: many, some empty, JSON, an address, accents and quotes. A filter in
#: front of the site sometimes takes one of these for an attack.
SAMPLE = (
    ("essai_libelle", "Banque d’essai «\u00a0à l'été\u00a0» & fils"),
    ("essai_marques", '{"choix":false,"marques":"CB|VISA","autre":null}'),
    ("essai_adresse", "https://kiosque.example.org/paiement/retour/KF0123456789abcdef01"),
    ("essai_carte", "497010XXXXXX0001"),
    ("essai_signature", "m3Y0Ul+y2zYzTqUHbMhG/7yS0Pmy0c4oC6Vx0d5Yb5E="),
    ("essai_vide", ""),
    *((f"essai_champ_{number:02d}", "0123456789abcdef" * 2) for number in range(60)),
)
_LOST = "la banque compterait l’avis comme reçu, et il serait perdu"


def path_of(name: str) -> str:
    return f"/paiement/notification/{name}"


def check_notification(installation: Installation, name: str) -> Result:
    found = Findings()
    if _is_this_site(installation):
        _check_notices(installation, name, found)
    else:
        found.unknown(
            "l’adresse publique ne mène pas à ce site, l’avis n’a pas été posté",
            "Voyez « Adresse publique ».",
        )
    return found.result(f"Notification {name}")


def _is_this_site(installation: Installation) -> bool:
    if not public_address.is_known(installation):
        return False
    token = probe.token(installation.secret_key, probe.HEALTH)
    try:
        reply = public_address.ask_health(installation, token)
    except (OSError, http.client.HTTPException):
        return False
    return public_address.seen_by_site(installation, token, reply) is not None


def _check_notices(installation: Installation, name: str, found: Findings) -> None:
    path = path_of(name)
    token = probe.token(installation.secret_key, probe.notices_of(name))
    try:
        reply = _post(f"{installation.public_url}{path}", token)
    except (OSError, http.client.HTTPException) as error:
        found.broken(f"{path}\u00a0: {http_client.say(error)}", public_address.remedy(error))
        return
    answered = probe.read_answer(installation.secret_key, token, reply.body.partition("\n")[2])
    if answered is None or reply.status != 400:
        found.broken(*_say(path, reply))
    elif reply.seconds > BANK_SECONDS:
        found.broken(
            f"{path}\u00a0: répond en {reply.seconds:.0f}\u00a0s, une banque n’attend que "
            f"{BANK_SECONDS}\u00a0s",
            "Voyez ce qui ralentit : « Base », la charge de la machine, le serveur mandataire.",
        )
    else:
        found.see(f"{path} atteint le site")


def _post(url: str, token: str) -> Reply:
    body = urlencode([*SAMPLE, (probe.FIELD, token)]).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    # Wait longer than a bank would, to tell how late the answer is.
    return http_client.ask("POST", url, body=body, headers=headers, seconds=BANK_SECONDS + 3)


def _say(path: str, reply: Reply) -> tuple[str, str]:
    """Return (fault, remedy): who answered in the site's place, as far as the status tells."""
    status = reply.status
    what = f"{path}\u00a0: réponse {status}"
    if 200 <= status < 300:
        return (
            f"{what} d’un autre que le site\u00a0: {_LOST}",
            "Le serveur mandataire répond à sa place (page d’attente, maintenance) : ôtez-la.",
        )
    if 300 <= status < 400:
        return (
            f"{what}, un renvoi\u00a0: {_LOST}",
            "Cette adresse ne doit jamais renvoyer, ni vers https ni vers un autre nom : "
            "corrigez le serveur mandataire ou public_url.",
        )
    advices = {
        401: "Le serveur mandataire demande un mot de passe : ôtez-le pour cette adresse.",
        403: "Un filtre (pare-feu applicatif, liste d’adresses, limit_except) arrête l’avis : "
        "ouvrez-lui /paiement/notification/, en POST.",
        404: "Le serveur mandataire ne passe pas cette adresse au site, ou le site tourne avec "
        "d’autres réglages : relancez-le.",
        405: "Le serveur mandataire n’accepte pas POST : voyez limit_except.",
        413: "Le serveur mandataire n’accepte pas un message de 4 ko : voyez "
        "client_max_body_size (64k au moins).",
    }
    if status >= 500:
        return what, "Voyez si le site tourne (« systemctl status »), et son journal."
    return f"{what} d’un autre que le site", advices.get(
        status, "Un filtre devant le site refuse l’avis : ouvrez-lui /paiement/notification/."
    )
