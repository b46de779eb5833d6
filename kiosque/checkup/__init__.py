"""Check that an installation is fit to serve: each fault is reported with its remedy.

Nothing is changed, here, at the bank or at the mail server. It may import every room but `demo`
and `cli`. The way in: `runner.run()`, which reads the `installation` and runs one module for each
subject (`settings`, `disk`, `smtp`...). They make HTTP requests by `http_client`; `findings` holds
their results, which `report` prints.
"""
