"""Papers to print or keep: invoices, receipts, attestations and letters, as tagged PDF.

It may import `invoices` and what is below. The way in: `content` gathers the facts that a paper
states, `pdf` typesets them, `activation_letters` writes the letters that open accounts. Nothing
here knows of a request.
"""
