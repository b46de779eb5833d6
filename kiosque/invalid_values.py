"""Values given by a form that cannot serve."""

from collections.abc import Mapping


class InvalidValues(Exception):
    """Values that cannot serve: `faults` are French sentences by the name of the value, "" for all
    of them together. Nothing was changed."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(" ".join(faults.values()))
        self.faults = faults
