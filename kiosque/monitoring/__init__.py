"""The site's state, for a monitoring tool: the age of each chore, what waits, the last check.

It may import `privacy` and all below it. The way in: `state.gather()`, a few bounded queries and no
network, which `exposition` writes as JSON or for Prometheus; `memory`, the file of what the hourly
check (`kiosque/checkup/alerts.py`) saw and told. Nothing here is about a family.
"""
