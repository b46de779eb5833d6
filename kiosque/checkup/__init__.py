"""Is this installation fit to serve? Each subject is looked at from where it can go wrong, and
what is wrong is told with what to do. Nothing is changed, here, at the bank or at the mail server.

It may import every room but `demo` and `cli`. The way in: `runner.run()`, which looks at an
`installation` and runs the checks; `http_client` asks by HTTP, `findings` is what they find, and
`report` how it is told.
"""
