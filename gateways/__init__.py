"""The banks' side: an adapter a bank, all under one contract, chosen by configuration.

`base` is the contract, `registry` finds adapters and reads their settings, `testing` is the suite
that every adapter passes. Nothing here imports `kiosque`.
"""
