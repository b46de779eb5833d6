"""What is printed or kept: invoices, receipts, attestations, letters, as tagged PDF.

It may import `invoices` and what is below. The way in: `content` gathers what a paper says,
`pdf` typesets it, `activation_letters` writes the letters that open accounts. Nothing here knows
of a request.
"""
