"""Documents to print or to keep, as PDF that a screen reader can read.

Data in, bytes out: nothing here reads the base or knows of a request.
"""

from kiosque.pdf.letters import Letter, letters

__all__ = ["Letter", "letters"]
