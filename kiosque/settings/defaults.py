"""The settings of a town, as frozen records."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from gateways.network import DIRECT, Network
from kiosque.settings.colours import readable_on
from kiosque.spelling import fold


@dataclass(frozen=True)
class Town:
    """Who the families deal with. `contact_email` takes their questions and changes to their
    record; `technical_email` their trouble with the site."""

    name: str
    contact_email: str
    technical_email: str
    address: str = ""
    postcode: str = ""
    city: str = ""
    phone: str = ""
    service: str = "Service famille"
    website: str = ""
    colour: str = "#0b4a75"
    logo: str = ""
    publication_director: str = ""
    host: str = ""

    @property
    def ink(self) -> str:
        """Return the town's colour, darkened where needed to be read on white: paper, mails."""
        return readable_on(self.colour, ["#ffffff"], towards="#000000")

    @property
    def letterhead(self) -> Mapping[str, object]:
        """Return what stands at the head and foot of papers."""
        place = f"{self.postcode} {self.city}".strip()
        return {
            "name": self.name,
            "service": self.service,
            "address": [line for line in (self.address, place) if line],
            "contacts": [line for line in (self.phone, self.contact_email, self.website) if line],
            "colour": self.ink,
        }


@dataclass(frozen=True)
class Regie:
    """The *régie de recettes* and the official answerable for it. Anomalies are mailed to `email`
    if given. As its deed of creation (*acte constitutif*) says, it collects for its `services`, and
    at the counter by its `modes`; without these lists, for all services or by all modes. A mode is
    a `CounterMode`. `api_token` opens its payments in `/api/encaissements`."""

    name: str
    regisseur: str
    email: str = ""
    services: tuple[str, ...] = ()
    modes: tuple[str, ...] = field(default=(), kw_only=True)
    api_token: str = field(default="", repr=False, kw_only=True)


@dataclass(frozen=True)
class OtherRegie(Regie):
    """A *régie* besides the first, with a contract and an account of its own: the invoices whose
    lines are of its `services` are paid by its `gateway`, until `closes_after_days` after their
    due date; as `[payment]` says, when that is absent."""

    gateway: str = ""
    closes_after_days: int | None = None


@dataclass(frozen=True)
class Payment:
    """`gateway` names the table in force. Online payment of an invoice closes
    `closes_after_days` after its due date; never, when that is absent. `treasury_sentence` tells
    families how to pay an invoice that the Treasury collects, in place of our own words. The
    Treasury collects the debts of a file of *titres* from the start, unless `titres_paid_here`. An
    invoice without a due date in its file is due `due_after_days` after its issue."""

    gateway: str
    closes_after_days: int | None = None
    treasury_sentence: str = ""
    titres_paid_here: bool = False
    due_after_days: int = 30


@dataclass(frozen=True)
class Mail:
    """How e-mail leaves: by SMTP, or as files under KIOSQUE_DATA/outbox when `host` is empty,
    which only the demo and tests may do. `security` is starttls, tls or none."""

    sender: str
    host: str = ""
    port: int = 587
    security: str = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class AttestationRules:
    """The lines that the yearly attestation for the taxes counts: those of `services`, none by
    default, except where the label contains one of `meal_labels`."""

    services: tuple[str, ...] = ()
    meal_labels: tuple[str, ...] = ("repas", "goûter", "déjeuner")


@dataclass(frozen=True)
class Notices:
    """The mails that tell families of their invoices: when they are there, `reminder_days` before
    the due date, and, as a *relance*, `relance_days` after it."""

    new_invoices: bool = True
    reminder: bool = True
    reminder_days: int = 5
    relance: bool = True
    relance_days: int = 7


@dataclass(frozen=True)
class Legal:
    """Facts that the legal pages state. `accessibility` is `non`, `partiellement` or `totalement`
    (conforme to the RGAA), as declared on `declared_on`. `dpo` is the e-mail of
    the data protection officer. The record of a family is erased `forget_after_years` after it has
    gone."""

    accessibility: str = "non"
    declared_on: date | None = None
    dpo: str = ""
    forget_after_years: int = 3


@dataclass(frozen=True)
class Server:
    """The processes that serve the pages, and the threads of each. `deploy/gunicorn.conf.py` reads
    them from the same places by itself, since gunicorn runs it before the site is loaded."""

    workers: int = 2
    threads: int = 180


@dataclass(frozen=True)
class Backup:
    """Where the backups are, `backups/` of KIOSQUE_DATA when `folder` is empty, and how many are
    kept: one a day, a week, a month. Secrets are encrypted to `recipient`, a public key of age's;
    without one they are not in the backup. `offsite` is the command, word by word, that takes each
    backup elsewhere; it has `offsite_minutes`."""

    folder: str = ""
    keep_days: int = 7
    keep_weeks: int = 5
    keep_months: int = 12
    recipient: str = ""
    offsite: tuple[str, ...] = ()
    offsite_minutes: int = 60


@dataclass(frozen=True)
class Monitoring:
    """The monitoring of the site. `token` opens `/sante/detail` and `/metriques`, which are absent
    without one; on `weekday` a mail tells the technical address that all is well, or what fails."""

    token: str = field(default="", repr=False)
    weekday: str = "lundi"


@dataclass(frozen=True)
class Office:
    """The town hall's own area. It opens to the addresses of `networks` only, or to all if there
    are none. `api_token` opens `/api/encaissements` for every *régie*; that page does not exist if
    no token is set anywhere."""

    networks: tuple[str, ...] = ()
    api_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Settings:
    """Everything that differs from one town to another. `own_logo` is the PNG that the town hall
    chose over the file of `[town] logo`."""

    environment: str
    secret_key: str = field(repr=False)
    public_url: str
    database: str = field(repr=False)  # an address may hold a password
    data: Path
    town: Town
    regie: Regie
    payment: Payment
    mail: Mail
    gateways: Mapping[str, Mapping[str, object]] = field(repr=False)
    attestation: AttestationRules = AttestationRules()
    notices: Notices = Notices()
    proxies: tuple[str, ...] = ()
    legal: Legal = Legal()
    regies: Mapping[str, OtherRegie] = field(default_factory=dict)
    network: Network = DIRECT
    server: Server = Server()
    backup: Backup = Backup()
    monitoring: Monitoring = Monitoring()
    office: Office = Office()
    own_logo: bytes = field(default=b"", repr=False)

    def regie_named(self, key: str) -> Regie:
        """Return the *régie* of a key; the first one for an empty key, or for one that is no longer
        in the settings."""
        return self.regies.get(key, self.regie)

    def gateway_of(self, regie: str) -> str | None:
        """Return the name of the gateway by which a *régie* is paid now. None when it is no longer
        in the settings: nothing of it can be paid online."""
        if not regie:
            return self.payment.gateway
        return self.regies[regie].gateway if regie in self.regies else None

    def regie_of_gateway(self, name: str) -> str:
        """Return the key of the *régie* that a gateway serves: the first one's by default."""
        return next((key for key, regie in self.regies.items() if regie.gateway == name), "")

    @property
    def regies_by_key(self) -> Mapping[str, Regie]:
        """Return all the *régies*, the first one under an empty key."""
        return {"": self.regie, **self.regies}

    @property
    def regie_by_token(self) -> Mapping[str, str | None]:
        """Return the key of the *régie* whose payments each token opens; None for all."""
        own = {each.api_token: key for key, each in self.regies_by_key.items() if each.api_token}
        return {**own, **({self.office.api_token: None} if self.office.api_token else {})}

    @property
    def every_regie(self) -> list[Regie]:
        return [self.regie, *self.regies.values()]

    def regies_of(self, services: Iterable[str]) -> list[Regie]:
        """Return the *régies* that collect for these services, the first one first; it alone when
        there is no service."""
        asked = set(map(fold, services))
        served = {key: set(map(fold, regie.services)) for key, regie in self.regies.items()}
        others = [regie for key, regie in self.regies.items() if asked & served[key]]
        own = asked - set().union(*served.values())
        return [*([self.regie] if own or not others else []), *others]

    @property
    def gateways_in_force(self) -> list[str]:
        """Return the gateways by which a payment may start, the first *régie*'s first."""
        return [self.payment.gateway, *(regie.gateway for regie in self.regies.values())]

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def database_path(self) -> Path:
        """Return the path of SQLite's file, as configured or by default."""
        named = self.database and not self.on_postgresql
        return Path(self.database) if named else self.data / "kiosque.sqlite3"

    @property
    def backups_folder(self) -> Path:
        return Path(self.backup.folder) if self.backup.folder else self.data / "backups"

    @property
    def on_postgresql(self) -> bool:
        return self.database.startswith("postgresql://")

    @property
    def database_location(self) -> Path | str:
        """Return where the database is: SQLite's file, or the address of a PostgreSQL."""
        return self.database if self.on_postgresql else self.database_path
