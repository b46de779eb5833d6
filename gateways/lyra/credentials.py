"""What is wrong with a key or a password as it was copied, without ever repeating it.

A shop has, for each mode, one key for the form (tab « Clés »), and for the REST service (tab « Clés
d'API REST ») a password, a public key and an HMAC key of its own. They are easily taken for one
another. Source: the form's and the REST service's documentation, "retrieving the keys".
"""

import re

BACK_OFFICE = "back office de la banque : Paramétrage > Boutique"
KEYS = f"{BACK_OFFICE} > Clés"
API_KEYS = f"{BACK_OFFICE} > Clés d’API REST"

#: The form's keys have 16 characters; those of the REST service for browsers, more than 40.
SHORTEST, LONGEST = 16, 40
#: Of sixteen digits drawn at random, fewer are different less than once in a million.
_FEWEST_LETTERS = 4
_MODES = {"testpassword_": "test", "prodpassword_": "production"}


def key_fault(key: str) -> str:
    """Why this cannot be a key of the form, in French, or nothing. White space around is the
    banks' pages' and is no fault."""
    key = key.strip()
    if fault := _copied_wrong(key):
        return fault
    if re.search("(test|prod)password_", key):
        return "c’est un mot de passe du service REST ; attendu la clé du formulaire"
    if len(key) < SHORTEST:
        return f"trop courte : attendu les {SHORTEST} caractères de la clé du formulaire"
    if len(key) > LONGEST:
        return (
            "trop longue : sans doute la clé HMAC-SHA-256 de l’API REST ; attendu celle du "
            f"formulaire, de {SHORTEST} caractères"
        )
    if len(set(key)) < _FEWEST_LETTERS:
        return "écrite à la main ; copiez celle de la banque"
    return ""


def password_fault(password: str, prefix: str) -> str:
    """Why this cannot be the REST service's password that begins so, in French, or nothing."""
    password = password.strip()
    expected = f"attendu {prefix} suivi d’au moins {SHORTEST} caractères"
    if fault := _copied_wrong(password):
        return f"{expected} ; {fault}"
    for other, mode in _MODES.items():
        if other != prefix and password.startswith(other):
            return f"{expected} ; c’est le mot de passe de {mode}"
    if not password.startswith(prefix):
        return f"{expected} ; ce n’en est pas un, peut-être une clé"
    own = password.removeprefix(prefix)
    if len(own) < SHORTEST or len(set(own)) < _FEWEST_LETTERS:
        return f"{expected} ; copiez celui de la banque en entier"
    return ""


def _copied_wrong(text: str) -> str:
    if re.search("[*•●…]|\\.\\.\\.", text) or re.fullmatch("[xX]{4,}", text):
        return (
            "copiée masquée, telle que la page la montre ; une clé déjà en service n’y est plus "
            "lisible : reprenez-la où elle est gardée, ou faites-en une autre"
        )
    if "publickey_" in text:
        return "c’est une clé publique, faite pour un navigateur"
    if not re.fullmatch("[!-~]*", text, re.ASCII):
        return "elle contient une espace, un saut de ligne ou un signe qui n’en est pas"
    return ""
