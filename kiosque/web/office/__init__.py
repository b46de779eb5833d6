"""The parts that pages of the town hall's area share: access, lists, acts, forms.

It may import what `web` may, and the rest of `web` but its views. The way in: `access`, then the
module of the subject.
"""
