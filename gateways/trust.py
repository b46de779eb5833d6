"""Whom to believe that a bank is the bank: certificates checked by authorities read once."""

from typing import Any

import requests
import requests.adapters
from urllib3.util.ssl_ import create_urllib3_context


class Trusting(requests.adapters.HTTPAdapter):
    """Reads the authorities as it is made, where `requests` would read them at each connection.

    `authorities` is the path of their file. The context is changed a little by each connection:
    for one call at a time.
    """

    def __init__(self, authorities: str) -> None:
        self._context = create_urllib3_context()
        self._context.load_verify_locations(authorities)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def cert_verify(self, *_args: Any, **_kwargs: Any) -> None:
        """Leave the connections as they are made: they demand a certificate that the context
        finds valid."""
