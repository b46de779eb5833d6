"""What watches the site is told: how old each chore is, what waits, what the last check saw.

It may import `privacy` and all below it. The way in: `state.gather()`, a few bounded queries and no
network, which `exposition` writes as JSON or for Prometheus; `memory`, the file of what the hourly
check (`kiosque/checkup/alerts.py`) saw and told. Nothing here is about a family.
"""
