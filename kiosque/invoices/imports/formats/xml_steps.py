"""XML read step by step: the beginnings and ends of its elements.

The parser refuses any DTD, before what it declares is used, and has no network.
"""

import io
from collections.abc import Iterator
from typing import Any

from lxml import etree

from kiosque.invoices.imports.reading import BadFile, Fault

TOO_LONG = "fichier XML trop long. Partagez-le en plusieurs."
_DTD = "ce fichier XML porte une DTD : il n’a pas été lu."
_XML = "XML mal formé"


def steps(data: bytes, most: int, source: str = "au logiciel") -> Iterator[tuple[str, Any]]:
    """Yield each `start` and `end` with its element. Raise BadFile for broken XML, a DTD, or more
    than `most` steps; `source` says whom to ask for another file."""
    events = etree.iterparse(
        io.BytesIO(data), events=("start", "end"), resolve_entities=False, load_dtd=False,
        no_network=True, huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        for at, (event, element) in enumerate(events):
            if at == 0 and element.getroottree().docinfo.internalDTD is not None:
                raise BadFile([Fault(0, _DTD)])
            if at > most:
                raise BadFile([Fault(0, TOO_LONG)])
            yield event, element
    except (etree.XMLSyntaxError, LookupError, ValueError) as error:
        line = getattr(error, "lineno", None) or 0
        raise BadFile([Fault(line, f"{_XML}. Demandez-le de nouveau {source}.")]) from None


def local(element: Any) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def forget(element: Any) -> None:
    """Free the memory of an element that was read, and of those before it."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]
