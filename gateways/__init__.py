"""The banks' side: one adapter for each bank, all under one contract, chosen by the settings.

`base` is the contract, `testing` the suite that every adapter passes. Nothing here imports
`kiosque`. The way in: `registry`, which finds adapters and makes each of its settings.
"""
