"""The agents of the town hall: their accounts, their roles, how they sign in, what they did.

It may import `families`, whose hashing, password rules and delays are theirs too, `payments`, whose
`Refused` says why nothing is done, and what is below. The way in: `signin` for a password and a
code, `invitations` for the link that opens an account, `roles` for who may do what, `events` for
the log of all of it.
"""
