"""The banks' side: one adapter for each bank, all under one contract, chosen by the settings.

`base` is the contract, `registry` finds adapters and reads their settings, `testing` is the suite
that every adapter passes. Nothing here imports `kiosque`.
"""
