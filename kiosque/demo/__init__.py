"""The demo: a town's data, the portal and the mock bank, each server in a process of its own.

It may import every room but `checkup` and `cli`. The way in: `run()` and `reset()`. `settings`
writes the town's settings, `town` loads its data and gives accounts to try, `processes` starts and
stops the servers, `runner` puts them together.
"""

from kiosque.demo.runner import reset, run
from kiosque.demo.settings import DemoError

__all__ = ["DemoError", "reset", "run"]
