"""Papers to print or keep: invoices, receipts, attestations and letters, as tagged PDF.

It may import `invoices`, `deposits` and what is below. The way in: `content` gathers the facts that
a paper states, `pdf` and `tax_attestation` typeset them, `activation_letters` writes letters that
open accounts, `deposits` the papers of a deposit, `month` those of a month closed. Nothing here
knows of a request.
"""
