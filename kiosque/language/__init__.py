"""The language of what people read, and how it writes amounts, dates and counts.

It imports no other room, and of `gateways` the time of Paris. The way in: `catalogue.gettext` for
a text, `formats` for a value, `parsing` to read one, `clock` for the present moment.
"""
