"""Find adapters by name. Both ours and those of other packages are entry points."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from gateways.base import ConfigError, Gateway

GROUP = "kiosque.gateways"

#: Our own, declared here since the project also runs from its folder, without being installed.
BUILT_IN = {
    name: EntryPoint(name, value, GROUP)
    for name, value in (
        ("lyra", "gateways.lyra:LyraGateway"),
        ("payfip", "gateways.payfip:PayfipGateway"),
        ("sandbox-payfip", "gateways.sandbox.payfip:SandboxPayfipGateway"),
        ("sandbox", "gateways.sandbox:SandboxGateway"),
    )
}


def available() -> dict[str, EntryPoint]:
    """Return every adapter by name. No package can take the name of one of ours."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    return found | BUILT_IN


def configure(name: str, table: Mapping[str, object], *, environment: str) -> Gateway:
    """Make the gateway of one `[gateways.NAME]` table. Raises ConfigError."""
    adapter = table.get("adapter")
    # Look through all installed packages, which is slow, only if the adapter is not ours.
    points = BUILT_IN if isinstance(adapter, str) and adapter in BUILT_IN else available()
    if not isinstance(adapter, str) or adapter not in points:
        known = ", ".join(sorted(points))
        raise ConfigError([f"gateways.{name}.adapter : attendu l’un de {known}"])
    try:
        gateway_class = points[adapter].load()
        gateway: Gateway = gateway_class.configure(name, table, environment=environment)
    except ConfigError:
        raise
    except ModuleNotFoundError as error:
        fault = f"le paquet Python {error.name} n’est pas installé"
        raise ConfigError([f"gateways.{name}.adapter : {fault}"]) from None
    except Exception as error:  # noqa: BLE001  # a stranger's may raise anything
        kind = type(error).__name__
        fault = f"gateways.{name}.adapter : l’adaptateur {adapter} a un défaut ({kind})"
        raise ConfigError([fault]) from None
    return gateway


def configure_all(
    tables: Mapping[str, Mapping[str, object]], *, environment: str
) -> dict[str, Gateway]:
    """Make every gateway, by name. Raises ConfigError naming the faults of all of them."""
    gateways, faults = {}, []
    for name, table in tables.items():
        try:
            gateways[name] = configure(name, table, environment=environment)
        except ConfigError as error:
            faults += error.faults
    if faults:
        raise ConfigError(faults)
    return gateways
