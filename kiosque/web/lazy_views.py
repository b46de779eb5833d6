"""Views that few visitors ask for: a worker imports them when one of them is first asked for."""

from importlib import import_module
from threading import Lock
from typing import Any

#: Without it, two threads importing modules that need each other could find each other's half-made.
_ONE_AT_A_TIME = Lock()


class Later:
    """A view to import later, by its name and its module: Flask and its extensions identify a view
    by both."""

    def __init__(self, module: str, name: str) -> None:
        self.__module__, self.__name__ = module, name

    @property
    def view(self) -> Any:
        with _ONE_AT_A_TIME:
            return getattr(import_module(self.__module__), self.__name__)

    def __call__(self, *args: Any, **values: Any) -> Any:
        return self.view(*args, **values)
