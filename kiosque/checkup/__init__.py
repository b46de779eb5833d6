"""Is this installation fit to serve? Each subject is looked at from where it can go wrong, and
what is wrong is told with what to do. Nothing is changed, here, at the bank or at the mail server.

`running` runs the checks, on a `ground`; they are `written` (settings and keys), `hours`, `base`
(with `sqlite`), `disk`, `post`, `timers`, `address`, `route` and `bank`; `web` asks by HTTP;
`findings` is what they find, and `report` how it is told.
"""
