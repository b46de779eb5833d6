"""Mails: the declaration of each, its words, and the way it leaves.

It may import `papers` and what is below. The way in: `rendering` declares every mail and renders
it; `delivery.deliver()`, called by the timer, sends those that wait.
"""
