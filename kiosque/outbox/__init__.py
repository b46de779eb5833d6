"""The mails that wait to leave, and the addresses they leave for.

It may import `db` and what is below. The way in: `queue.add()`, inside the transaction that makes
a mail necessary. What a mail says and how it leaves is the business of `mails`.
"""
