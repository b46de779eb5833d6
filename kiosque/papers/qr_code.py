"""The QR code of a paper: a telephone opens the sign-in page by it, the family's code filled in.

It holds nothing but what the paper says in words: never a password, nor an activation code.
"""

from io import BytesIO
from urllib.parse import urlencode

from kiosque.language.catalogue import gettext as _
from kiosque.settings import Settings


def sign_in(settings: Settings, family_code: str) -> dict[str, object]:
    """Return the address, the image (an SVG, by its bytes) and the words of the QR code, under the
    names that `templates/documents/house.typ` gives them."""
    import segno  # noqa: PLC0415  # for those pages only that give a PDF

    address = f"{settings.public_url}/connexion?{urlencode({'code': family_code})}"
    image = BytesIO()
    segno.make(address, error="m", micro=False).save(image, kind="svg", border=4)
    words = _("QR code de la page de connexion, avec votre code famille")
    return {"address": address, "image": list(image.getvalue()), "words": words}
