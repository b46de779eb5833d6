"""`make servers` and `make rush`: the real site under load, as it is installed."""
