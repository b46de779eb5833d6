"""The error for values of a form that are not valid."""

from collections.abc import Mapping


class InvalidValues(Exception):
    """Some values are not valid; nothing was changed. `faults` are French sentences by the name of
    the value, "" for all values together."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(" ".join(faults.values()))
        self.faults = faults
