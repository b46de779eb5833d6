"""The mails that wait to leave, and the addresses they leave for.

It may import `db` and what is below. The way in: `queue.add()`, inside the transaction that makes
a mail necessary. `mails` declares the mails, gives them their words and sends them.
"""
