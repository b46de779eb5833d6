"""An installation that is in order, to be put out of order in one way at a time."""

import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from kiosque import db
from kiosque.checkup import http_client
from kiosque.checkup.findings import Result
from kiosque.checkup.installation import Installation as Surveyed
from kiosque.checkup.installation import survey
from kiosque.db import leases
from kiosque.mails import delivery
from kiosque.payments import reconcile
from tests.installation import (
    SETTINGS,
    Front,
    Installation,
    bank_of,
    environment,
    front_of,
    site_of,
)

Look = Callable[..., Result]


def furnish(data: Path, template_database: Path) -> None:
    """Make settings, and a database whose timers have just run."""
    path = data / "kiosque.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    path.chmod(0o640)
    shutil.copyfile(template_database, data / "kiosque.sqlite3")
    db.configure(data / "kiosque.sqlite3")
    with db.connection():
        leases.note_done(delivery.LEASE)
        leases.note_done(reconcile.LEASE)


@pytest.fixture
def data(tmp_path: Path, template_database: Path) -> Path:
    """A folder of the test's own, without any server."""
    furnish(tmp_path, template_database)
    return tmp_path


@pytest.fixture
def surveyed(data: Path) -> Callable[..., Surveyed]:
    """The settings as they are, with some laid over them."""
    return lambda **settings: survey({"KIOSQUE_DATA": str(data), **settings})


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, template_database: Path
) -> Iterator[Installation]:
    """The real site and a bank; the proxy is each test's own."""
    data = tmp_path_factory.mktemp("town")
    furnish(data, template_database)
    with bank_of(tmp_path_factory.mktemp("bank")) as bank_url:
        more = {
            "KIOSQUE_GATEWAYS_BANQUE_URL": bank_url,
            "KIOSQUE_GATEWAYS_TRESOR_URL": bank_url,
        }
        environ = environment(data, **more)
        # Behind TLS, as in a town.
        with site_of({**environ, "KIOSQUE_PUBLIC_URL": "https://127.0.0.1:9"}) as port:
            yield Installation(data, port, bank_url, environ)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the authority, known for the web and for mail."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setattr(http_client, "AUTHORITIES", str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def server_tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture
def stand(installation: Installation) -> Iterator[Callable[..., Front]]:
    """Put a proxy before the site."""
    with ExitStack() as stack:
        yield lambda **how: stack.enter_context(front_of(Front(installation.site, **how)))


@pytest.fixture
def behind(installation: Installation) -> Callable[..., Surveyed]:
    """The installation as seen behind this proxy."""

    def settle(front: Front, **settings: str) -> Surveyed:
        return survey({**installation.environ, "KIOSQUE_PUBLIC_URL": front.url, **settings})

    return settle
