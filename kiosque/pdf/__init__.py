"""Documents to print or to keep, as PDF that a screen reader can read.

What is gathered goes in, bytes come out: nothing here knows of a request.
"""

from kiosque.pdf.letters import Letter, letters
from kiosque.pdf.papers import attestation, invoice, receipt

__all__ = ["Letter", "attestation", "invoice", "letters", "receipt"]
