"""The language of what people read, and how it writes amounts, dates and counts.

It imports no other room. The way in: `catalogue.gettext` for a text, `formats` for a value,
`clock` for the present moment.
"""
