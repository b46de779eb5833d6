"""Every page and action of the site, with what it takes and to whom it opens.

Tests that must hold everywhere walk this table; `test_hostile.py` fails when an address of the
site is missing from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from gateways.base import Callback, Gateway
from kiosque import payments
from kiosque.db.models import Child, Family, Invoice, Receipt, StaffRole
from kiosque.settings import AttestationRules, Settings
from kiosque.staff.roles import Role
from tests.agents import make_agent
from tests.bank import notice
from tests.conftest import ISSUERS, PUBLIC_URL, make_invoice

#: Who may open it: everybody, a signed-in family, a server (the bank's, a mail program's) that
#: has no token of a form, an agent of the town hall.
PUBLIC, FAMILY, SERVER, STAFF = "public", "family", "server", "staff"
MEET_FAMILIES = frozenset({Role.CONSULTATION, Role.FACTURATION, Role.REGISSEUR})
ADMINISTRATION = frozenset({Role.ADMINISTRATION})


@dataclass(frozen=True)
class Page:
    """What an address takes, with values of Alice's: in its path, its query, its form.

    `status` is what Alice gets with them; `charlie`, what another family gets with hers, when
    something of hers is named. `words` are shown to Alice and never to Charlie. A page of an agent
    opens to these `roles`, and leads every family to the agents' own sign-in; `fresh` asks them for
    a code anew.
    """

    audience: str = PUBLIC
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    status: int = 200
    charlie: int | None = None
    words: str = ""
    roles: frozenset[Role] = frozenset()
    fresh: bool = False


def for_agents(roles: frozenset[Role], **values: Any) -> Page:
    """A page of the town hall's area, which leads Alice and Charlie to its sign-in."""
    return Page(STAFF, roles=roles, status=302, charlie=302, **values)


OPEN, PAID = "2026-10-0001", "2026-09-0001"
PAGES: dict[str, Page] = {
    "site.index": Page(status=302),
    "site.legal_notice": Page(),
    "site.privacy": Page(),
    "site.accessibility": Page(),
    "site.secure": Page(),
    "site.health": Page(),
    "monitoring.detail": Page(status=404),
    "monitoring.metrics": Page(status=404),
    "site.robots": Page(),
    "site.language": Page(
        method="POST", form={"language": "fr", "next": "/famille"}, status=302
    ),
    "site.asset": Page(path={"name": "{stylesheet}"}),
    "account.sign_in": Page(
        method="POST", query={"next": "/famille", "code": "F1001"},
        form={"code": "F1001", "password": "x"},
        status=302,
    ),
    "account.sign_out": Page(method="POST", status=302),
    "account.show": Page(FAMILY, words="F1001"),
    "account.password": Page(
        FAMILY, method="POST", form={"current": "x", "new": "une autre phrase encore"}, status=422
    ),
    "account.email": Page(
        FAMILY, method="POST", form={"current": "x", "email": "new@example.org"}, status=422
    ),
    "account.end_others": Page(FAMILY, method="POST", status=302),
    "family.invoices": Page(
        FAMILY, query={"page": "1", "invoice": OPEN, "tout": "1"}, words="45,20"
    ),
    "family.invoice": Page(FAMILY, path={"number": OPEN}, charlie=404, words=OPEN),
    "papers.invoice": Page(FAMILY, path={"number": OPEN}, charlie=404),
    "papers.receipt": Page(FAMILY, path={"receipt_id": "{receipt}"}, charlie=404),
    "papers.attestations": Page(FAMILY, words="Sommes payées en 2026"),
    "papers.yearly": Page(FAMILY, path={"year": "2026"}, charlie=404),
    "family.receipt": Page(FAMILY, path={"receipt_id": "{receipt}"}, charlie=404, words=PAID),
    "family.record": Page(FAMILY, words="Martin"),
    "family_requests.change": Page(
        FAMILY, method="POST", form={"topic": "x", "message": "Nous déménageons."}, status=422
    ),
    "family_requests.question": Page(
        FAMILY, path={"number": OPEN}, method="POST", charlie=404, words=OPEN,
        form={"topic": "x", "message": "Léa était malade."}, status=422,
    ),
    "payment.summary": Page(FAMILY, query={"invoice": OPEN}, charlie=409, words="45,20"),
    "payment.bank": Page(
        FAMILY, method="POST", charlie=409, words="45,20",
        form={"invoice": OPEN, "expected_cents": "4520", "email": "alice@example.org"},
    ),
    "payment.resume": Page(
        FAMILY, path={"reference": "{reference}"}, method="POST", status=303, charlie=404
    ),
    "payment.give_up": Page(
        FAMILY, path={"reference": "{reference}"}, method="POST", status=303, charlie=404
    ),
    "bank_return.show": Page(
        path={"reference": "{reference}"}, query={"essai": "1"}, charlie=200, words=PAID
    ),
    "bank_return.sent_back": Page(
        SERVER, path={"reference": "{reference}"}, method="POST", form={"idop": "x"}, status=303
    ),
    "notification.receive": Page(
        SERVER, path={"name": "banque"}, method="POST", form={"vads_amount": "1"}, status=400
    ),
    "unsubscribe.stop": Page(
        SERVER, path={"token": "x"}, method="POST", form={"List-Unsubscribe": "One-Click"},
        status=404,
    ),
    "unsubscribe.set_wanted": Page(FAMILY, method="POST", form={"wanted": "yes"}, status=302),
    "credentials.activate": Page(
        method="POST", status=302,
        form={"code": "F1001", "activation": "x", "new": "une autre phrase encore"},
    ),
    "credentials.ask_reset": Page(method="POST", form={"email": "personne"}, status=422),
    "credentials.reset_asked": Page(),
    "credentials.open_link": Page(path={"secret": "x"}, status=404),
    "credentials.reset": Page(method="POST", form={"new": "une autre phrase encore"}, status=404),
    "credentials.confirm_email": Page(method="POST", status=404),
    "credentials.disown": Page(method="POST", status=404),
    "office.sign_in": Page(
        method="POST", query={"next": "/mairie/agents"}, status=422,
        form={"email": "alice@example.org", "password": "x"},
    ),
    "office.code": Page(
        method="POST", query={"next": "/mairie/agents"}, form={"code": "x"}, status=302
    ),
    "office.sign_out": Page(method="POST", status=302),
    "office.invitation": Page(
        path={"secret": "x"}, method="POST", form={"new": "une phrase", "code": "x"}, status=404
    ),
    "office.today": for_agents(frozenset(Role)),
    "office.own_access": for_agents(frozenset(Role)),
    "office.renew_recovery_codes": for_agents(frozenset(Role), method="POST", fresh=True),
    "office.events": for_agents(ADMINISTRATION | {Role.CONTROLE}, query={"avant": "10"}),
    "office.go": for_agents(MEET_FAMILIES, query={"q": "F1001"}),
    "office.families": for_agents(MEET_FAMILIES, query={"q": "martin"}),
    "office.family": for_agents(MEET_FAMILIES, path={"code": "F1001"}),
    "office.agents": for_agents(ADMINISTRATION),
    "office.new_agent": for_agents(
        ADMINISTRATION, method="POST", fresh=True,
        form={
            "agent_email": "bob@example.org", "role": "x", "regie": "", "starts_on": "2026-12-01",
            "ends_on": "2026-12-31",
        },
    ),
    "office.agent": for_agents(ADMINISTRATION, path={"staff_id": "{agent}"}, fresh=True),
    "office.give_role": for_agents(
        ADMINISTRATION, path={"staff_id": "{agent}"}, method="POST", fresh=True,
        form={"role": "x", "regie": "", "starts_on": "2026-12-01", "ends_on": "2026-12-31"},
    ),
    "office.end_role": for_agents(
        ADMINISTRATION, path={"staff_id": "{agent}", "role_id": "{role}"}, method="POST",
        fresh=True,
    ),
    **{
        f"office.{act}": for_agents(
            ADMINISTRATION, path={"staff_id": "{agent}"}, method="POST", fresh=True
        )
        for act in ("send_link", "forget_telephone", "close_agent")
    },
}  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """A site where Alice has an invoice to pay and one paid, and the addresses of her things."""

    app: Flask
    values: Mapping[str, str]

    def rules(self) -> list[Rule]:
        return list(self.app.url_map.iter_rules())

    def page(self, endpoint: str) -> Page:
        """The page, with the values of this stage in place of their names."""
        page = PAGES[endpoint]
        filled = {name: self._fill(getattr(page, name)) for name in ("path", "query", "form")}
        return Page(**{**page.__dict__, **filled})

    def address(self, endpoint: str, **path: str) -> str:
        with self.app.test_request_context(base_url=PUBLIC_URL):
            adapter = self.app.url_map.bind("127.0.0.1")
            values: dict[str, Any] = {**self.page(endpoint).path, **path}
            rule = next(self.app.url_map.iter_rules(endpoint))
            for name, converter in rule._converters.items():
                values[name] = converter.to_python(values[name])
            return adapter.build(endpoint, values)

    def _fill(self, values: Mapping[str, str]) -> dict[str, str]:
        return {name: value.format(**self.values) for name, value in values.items()}


def set_up(app: Flask, settings: Settings, family: Family, gateway: Gateway) -> Stage:
    """Alice's invoice to pay, with its PDF, and another that she paid online."""
    make_invoice(family, OPEN, pdf_name="abc.pdf")
    paid = make_invoice(family, PAID, 4225)
    (settings.data / "pdf").mkdir()
    (settings.data / "pdf" / "abc.pdf").write_bytes(b"%PDF-1.7")
    purchase = payments.Purchase(family, [paid.number], paid.total_cents, None)
    attempt, handoff = payments.start(purchase, gateway, PUBLIC_URL)
    said = notice(handoff, key=str(settings.gateways["banque"]["key"]))
    report = gateway.read_notification(Callback.of_form(said.items()))
    payments.record(gateway.name, report, ISSUERS)
    assert Invoice.get(Invoice.number == PAID).state == "paid"
    # Alice's child is three: what was paid for its meals counts, in this town.
    Child.create(family=family, name="Léa Martin", born_on=date(2023, 5, 2))
    rules = AttestationRules(services=("Restauration scolaire",), meal_labels=())
    app.extensions["settings"] = replace(settings, attestation=rules)
    agent = make_agent(Role.FACTURATION, "facturation.de.la.scene@sautron.example.org")
    values = {
        "agent": str(agent.id),
        "role": str(StaffRole.get(StaffRole.staff == agent).id),
        "reference": attempt.reference,
        "receipt": str(Receipt.get().id),
        "stylesheet": app.extensions["assets"].stylesheet.name,
    }
    return Stage(app, values)
