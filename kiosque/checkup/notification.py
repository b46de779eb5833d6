"""Check: the way of the banks' notices, walked as a bank walks it: from outside, by POST, with a
form as long and as odd as theirs.

The form carries a token of ours (`kiosque.web.probe`): the site answers that it would have refused
it, proves who it is, and writes nothing. It is posted only once the public address has proved to
be this very site: another one might keep it.
"""

import http.client
from urllib.parse import urlencode

from kiosque.checkup import http_client, public_address
from kiosque.checkup.findings import Findings, Result
from kiosque.checkup.http_client import Reply
from kiosque.checkup.installation import Ground
from kiosque.web import probe

#: What a bank leaves us, connection and answer; beyond, it counts a failure. (Lyra: 10 s.)
BANK_SECONDS = 10
#: Fields in the manner of a bank's: many, some empty, JSON, an address, accents and quotes. Filters
#: before the site sometimes take one of these for an attack.
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


def check(ground: Ground, name: str) -> Result:
    found = Findings()
    if _is_this_site(ground):
        _check_notices(ground, name, found)
    else:
        found.unknown(
            "l’adresse publique ne mène pas à ce site, l’avis n’a pas été posté",
            "Voyez « Adresse publique ».",
        )
    return found.result(f"Notification {name}")


def _is_this_site(ground: Ground) -> bool:
    if not public_address.is_known(ground):
        return False
    token = probe.token(ground.secret_key, probe.HEALTH)
    try:
        reply = public_address.ask_health(ground, token)
    except (OSError, http.client.HTTPException):
        return False
    return public_address.seen_by_site(ground, token, reply) is not None


def _check_notices(ground: Ground, name: str, found: Findings) -> None:
    path = path_of(name)
    token = probe.token(ground.secret_key, probe.notices_of(name))
    try:
        reply = _post(f"{ground.public_url}{path}", token)
    except (OSError, http.client.HTTPException) as error:
        found.broken(f"{path}\u00a0: {http_client.say(error)}", public_address.remedy(error))
        return
    answered = probe.read_answer(ground.secret_key, token, reply.body.partition("\n")[2])
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
    # Longer than a bank would wait: to say by how much.
    return http_client.ask("POST", url, body=body, headers=headers, seconds=BANK_SECONDS + 3)


def _say(path: str, reply: Reply) -> tuple[str, str]:
    """Who answered in the site's place, as far as the status tells."""
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
