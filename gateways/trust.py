"""Verify a bank's certificate against authorities that are read from their file only once."""

from typing import Any

import requests
import requests.adapters
from urllib3.util.ssl_ import create_urllib3_context


class Trusting(requests.adapters.HTTPAdapter):
    """An adapter that reads the authorities when made; `requests` reads them at each connection.

    `authorities` are the paths of their files. Each connection changes the TLS context a little, so
    an adapter serves one call at a time.
    """

    def __init__(self, *authorities: str) -> None:
        self._context = create_urllib3_context()
        for path in authorities:
            self._context.load_verify_locations(path)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)

    def cert_verify(self, *_args: Any, **_kwargs: Any) -> None:
        """Change nothing: the context already demands a certificate that it can verify."""
