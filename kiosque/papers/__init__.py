"""Papers to print or keep: invoices, receipts, attestations and letters, as tagged PDF.

It may import `invoices`, `deposits` and what is below. The way in: `content` gathers the facts that
a paper states, `pdf` and `for_taxes` typeset them, `activation_letters` writes letters that open
accounts, `deposits` the papers of a deposit. Nothing here knows of a request.
"""
