"""Every page and action of the site, with what it takes and to whom it opens.

Tests that must hold everywhere walk this table; `test_hostile.py` fails when an address of the
site is missing from it.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from gateways.base import Callback, Gateway
from kiosque import deposits, payments
from kiosque.db import write
from kiosque.db.models import (
    Anomaly,
    Attempt,
    Child,
    Deposit,
    DepositGap,
    Family,
    FamilyMerge,
    FamilyRequest,
    ImportBatch,
    Invoice,
    LineMatch,
    Receipt,
    Restoration,
    Settlement,
    StaffRole,
    StatementLine,
)
from kiosque.db.statement_words import MatchKind
from kiosque.db.states import AnomalyKind
from kiosque.deposits import Imputed
from kiosque.invoices.uploads import storing
from kiosque.language import clock
from kiosque.payments import journal
from kiosque.payments.anomalies import flag_anomaly
from kiosque.settings import AttestationRules, Settings
from kiosque.staff.roles import Role
from kiosque.statements import loading, matching, receiving
from kiosque.statements.accounts import AccountHolder
from kiosque.statements.records import FileKind, Meaning, Movement, ParsedFile, Period
from tests.agents import make_agent
from tests.bank import notice
from tests.conftest import ISSUERS, PUBLIC_URL, make_invoice
from tests.uploads import make_upload

#: Who may open it: everybody, a signed-in family, a server (the bank's, a mail program's) that
#: has no token of a form, an agent of the town hall.
PUBLIC, FAMILY, SERVER, STAFF = "public", "family", "server", "staff"
MEET_FAMILIES = frozenset({Role.CONSULTATION, Role.FACTURATION, Role.REGISSEUR})
ADMINISTRATION = frozenset({Role.ADMINISTRATION})
DEPOSIT = frozenset({Role.FACTURATION, Role.REGISSEUR})
TREAT = frozenset({Role.REGISSEUR, Role.FACTURATION})
READ_MONEY = MEET_FAMILIES | {Role.CONTROLE}
READ_BOOKS = frozenset({Role.REGISSEUR, Role.CONTROLE})
ACT_ON_MONEY = frozenset({Role.REGISSEUR})
BOOKS = frozenset({Role.REGISSEUR, Role.CONTROLE})


@dataclass(frozen=True)
class Page:
    """Describe an address's arguments, with values of Alice's: in its path, its query, its form.

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
    "exchange.payments": Page(status=404, query={"depuis": "0"}),
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
    "office.to_do": for_agents(TREAT),
    "office.points_table": for_agents(TREAT, fresh=True),
    "office.mails_table": for_agents(TREAT, fresh=True),
    "office.point": for_agents(TREAT, path={"number": "{point}"}),
    "office.step": for_agents(
        frozenset({Role.REGISSEUR}), path={"number": "{point}", "place": "0"}, method="POST",
        form={"reason": "", "seen": "", "command": "x", "day": "2026-11-24"}, fresh=True,
    ),
    "office.requests_": for_agents(frozenset({Role.FACTURATION})),
    "office.requests_table": for_agents(frozenset({Role.FACTURATION}), fresh=True),
    "office.request_": for_agents(
        frozenset({Role.FACTURATION}), path={"number": "{request}"}, method="POST",
        form={"decision": "x", "words": "C’est noté."},
    ),
    "office.conclude": for_agents(
        frozenset({Role.REGISSEUR}), path={"number": "{point}"}, method="POST",
        form={"reason": "", "seen": ""},
    ),
    "office.bordereaux": for_agents(READ_BOOKS),
    "office.bordereaux_table": for_agents(READ_BOOKS, fresh=True),
    "office.finalize": for_agents(
        ACT_ON_MONEY, method="POST", fresh=True, query={"jusqua": "1"},
        form={"up_to": "x", "fingerprint": "x", "seen": "y"},
    ),
    "office.resume_numbers": for_agents(
        ACT_ON_MONEY, path={"number": "{gap}"}, method="POST",
        form={"last": "x", "seen": ""}, fresh=True,
    ),
    "office.answer_bordereau": for_agents(
        ACT_ON_MONEY, path={"number": "{deposit}"}, method="POST",
        form={"on": "x", "reference": "P503"},
    ),
    "office.bordereau_paper": for_agents(READ_BOOKS, path={"number": "{deposit}"}),
    "office.bordereau_payers": for_agents(READ_BOOKS, path={"number": "{deposit}"}, fresh=True),
    "office.bordereau_table": for_agents(
        READ_BOOKS, path={"number": "{deposit}"}, fresh=True
    ),
    "office.imputations_table": for_agents(ADMINISTRATION | ACT_ON_MONEY, fresh=True),
    "office.imputations": for_agents(
        ADMINISTRATION | ACT_ON_MONEY, method="POST", fresh=True,
        form={
            "regie": "x", "service": "x", "article": "70632", "fonction": "281", "antenne": "A",
            "since": "2026-11-24",
        },
    ),
    **{
        f"office.{act}": for_agents(
            ACT_ON_MONEY, path={"settlement_id": "{settlement}"}, method="POST",
            form={"reason": "", "fingerprint": "x", "seen": "y"},
        )
        for act in ("keep_back", "take_up")
    },
    "office.journal": for_agents(
        frozenset({Role.REGISSEUR, Role.CONTROLE}),
        query={"du": "2026-11-01", "au": "2026-12-31", "apres": "9_9", "avant": "1_1"},
    ),
    "office.journal_table": for_agents(
        READ_BOOKS, query={"du": "2026-11-01"}, fresh=True
    ),
    "office.bank": for_agents(
        BOOKS,
        query={
            "regie": "", "etat": "open", "libelle": "vir", "du": "2026-11-01", "au": "2026-12-31",
            "montant": "45,20", "apres": "2026-11-24_1", "avant": "2026-11-24_1",
        },
    ),
    "office.bank_table": for_agents(
        BOOKS, query={"regie": "", "etat": "open", "du": "2026-11-01"}, fresh=True
    ),
    "office.bank_files_table": for_agents(BOOKS, query={"regie": ""}, fresh=True),
    "office.load_statement": for_agents(
        ACT_ON_MONEY, method="POST", query={"regie": ""}, form={"file": "x", "unit": ""}
    ),
    "office.name_bank_columns": for_agents(
        ACT_ON_MONEY, path={"digest": "{table}"}, method="POST",
        form={"header": "Jour", "booked_on": "Jour", "label": "x", "amount": "", "name": "x",
              "seen": "", "load": "1"},
    ),
    "office.undo_statement": for_agents(ACT_ON_MONEY, path={"number": "{bank_file}"}),
    "office.forget_bank_columns": for_agents(
        ACT_ON_MONEY, path={"number": "{answer}"}, method="POST"
    ),
    "office.match_again": for_agents(ACT_ON_MONEY, method="POST", query={"regie": ""}),
    "office.bank_line": for_agents(BOOKS, path={"number": "{line}"}),
    "office.explain_line": for_agents(
        ACT_ON_MONEY, path={"number": "{line}"}, method="POST",
        form={"kind": "x", "reason": "", "proposal": ""},
    ),
    "office.undo_match": for_agents(
        ACT_ON_MONEY, path={"number": "{match}"}, method="POST", form={"reason": "", "seen": ""}
    ),
    "office.months": for_agents(BOOKS, query={"regie": ""}),
    "office.month": for_agents(BOOKS, path={"name": "2026-10"}, query={"regie": ""}),
    "office.carry_over": for_agents(
        ACT_ON_MONEY, path={"name": "2026-11", "number": "{point}"},
        query={"regie": ""}, method="POST", form={"reason": "", "seen": ""},
    ),
    "office.ask_bank": for_agents(
        ACT_ON_MONEY, path={"name": "2026-11", "reference": "{reference}"},
        query={"regie": ""}, method="POST",
    ),
    "office.close_month": for_agents(
        # This month is not over: it is not closed, whatever is typed.
        ACT_ON_MONEY, path={"name": "2026-11"}, query={"regie": ""},
        method="POST", form={"reason": "x", "seen": ""}, fresh=True,
    ),
    "office.month_papers": for_agents(
        BOOKS, path={"name": "2026-10"}, query={"regie": ""}, fresh=True
    ),
    "office.settings": for_agents(ADMINISTRATION),
    "office.change_settings": for_agents(
        ADMINISTRATION, path={"section": "ville"}, method="POST", fresh=True,
        form={"name": "", "colour": "x", "phone": "02", "contact_email": "x"},
    ),
    "office.change_logo": for_agents(
        ADMINISTRATION, method="POST", fresh=True, form={"file": "x"}
    ),
    "office.remove_logo": for_agents(ADMINISTRATION, method="POST", fresh=True),
    "office.close_bank": for_agents(
        ADMINISTRATION, path={"gateway": "banque"}, method="POST", fresh=True,
        form={"until": "x", "sentence": "Le Trésor entretient son service.", "seen": ""},
    ),
    "office.open_bank": for_agents(
        ADMINISTRATION, path={"gateway": "banque"}, method="POST", fresh=True
    ),
    "office.personal_data": for_agents(ADMINISTRATION, query={"famille": "F1001"}, fresh=True),
    "office.export_family": for_agents(
        ADMINISTRATION, path={"code": "F1001"}, method="POST", fresh=True,
        form={"reason": "", "seen": ""},
    ),
    "office.erase_family": for_agents(
        ADMINISTRATION, path={"code": "F1001"}, method="POST", fresh=True,
        form={"reason": "", "seen": "", "settled": "y"},
    ),
    "office.change_text": for_agents(
        ADMINISTRATION, path={"name": "confidentialite"}, method="POST",
        form={"text": "Vos données", "save": "1", "change": ""},
    ),
    "office.restore_text": for_agents(ADMINISTRATION, path={"name": "confidentialite"}),
    "office.try_payment": for_agents(
        ADMINISTRATION, path={"gateway": "banque"}, method="POST", fresh=True,
        form={"reason": "", "seen": ""},
    ),
    **{
        f"office.{act}": for_agents(
            ADMINISTRATION, path={"gateway": "banque"}, method="POST", fresh=True,
            form={"reason": "", "fingerprint": "x", "seen": "y"},
        )
        for act in ("refund_trial", "note_trial_given_back", "cancel_trial")
    },
    "office.retry_mail": for_agents(TREAT, path={"number": "1"}, method="POST"),
    "office.retry_mails": for_agents(TREAT, method="POST"),
    "office.send_notice": for_agents(TREAT, path={"number": OPEN}, method="POST"),
    "office.invoices": for_agents(
        READ_MONEY,
        query={
            "numero": "2026", "famille": "F1001", "etat": "open", "periode": "octobre 2026",
            "service": "Restauration scolaire", "du": "2026-11-01", "au": "2026-12-31",
            "montant": "45,20", "liste": "titres 2026-11", "apres": "2026-11-05_1",
            "avant": "2026-11-05_1",
        },
    ),
    "office.type_invoice": for_agents(
        frozenset({Role.FACTURATION}), method="POST",
        form={
            "family": "inconnue", "period": "octobre 2026", "due_on": "2026-12-31",
            "lines-0-service": "Repas", "lines-0-child": "Léa", "lines-0-label": "Repas",
            "lines-0-quantity": "x", "lines-0-price": "4,52",
        },
    ),
    "office.invoices_table": for_agents(
        TREAT, query={"numero": "2026"}, fresh=True
    ),
    "office.settlements_table": for_agents(
        TREAT, query={"reference": "R1"}, fresh=True
    ),
    "office.export": for_agents(
        TREAT, method="POST", fresh=True,
        form={"consumer": "logiciel", "regie": "x", "again": ""},
    ),
    "office.invoice": for_agents(READ_MONEY, path={"number": OPEN}),
    "office.invoice_paper": for_agents(MEET_FAMILIES, path={"number": OPEN}),
    "office.cancel_invoice": for_agents(
        TREAT, path={"number": OPEN}, method="POST",
        form={"reason": "", "fingerprint": "x", "seen": "y", "anyway": "y", "change": ""},
    ),
    "office.take": for_agents(
        ACT_ON_MONEY, path={"number": OPEN}, method="POST",
        form={
            "reason": "", "mode": "cash", "amount": "10,00", "other_mode": "cesu",
            "other_amount": "5,00", "settled_on": "2026-11-24", "fingerprint": "x", "seen": "y",
            "anyway": "y",
        },
    ),
    **{
        f"office.{act}": for_agents(
            ACT_ON_MONEY, path={"number": OPEN}, method="POST", fresh=True,
            form={"reason": "", "fingerprint": "x", "seen": "y", **form},
        )
        for act, form in (
            ("transmit", {"list_name": "titres 2026-11", "on": "2026-11-24"}),
            ("take_back", {}),
            ("apply_credit", {"amount": "10,00", "number": PAID}),
        )
    },
    "office.transmit_many": for_agents(
        ACT_ON_MONEY, method="POST", fresh=True, query={"etat": "late", "liste": "titres 2026-11"},
        form={
            "list_name": "titres 2026-11", "on": "2026-11-24", "invoices": "1", "reason": "",
            "fingerprint": "x", "seen": "y", "change": "",
        },
    ),
    "office.take_credit_off": for_agents(
        ACT_ON_MONEY, path={"number": OPEN, "note": "{paid}"}, method="POST", fresh=True,
        form={"reason": "", "fingerprint": "x", "seen": "y"},
    ),
    "office.settlements": for_agents(
        READ_MONEY,
        query={
            "reference": "R000001", "famille": "F1001", "etat": "counted", "mode": "online",
            "du": "2026-11-01", "au": "2026-12-31", "montant": "42,25",
            "apres": "2026-11-24T19:30:00.000000Z_1", "avant": "2026-11-24T19:30:00.000000Z_1",
        },
    ),
    "office.settlement": for_agents(READ_MONEY, path={"name": "{settlement}"}),
    "office.receipt_paper": for_agents(READ_MONEY, path={"receipt_id": "{receipt}"}),
    "office.send_receipt": for_agents(
        TREAT, path={"settlement_id": "{settlement}"}, method="POST"
    ),
    **{
        f"office.{act}": for_agents(
            ACT_ON_MONEY, path={"settlement_id": "{settlement}"}, method="POST", fresh=True,
            form={"reason": "", "fingerprint": "x", "seen": "y", **form},
        )
        for act, form in (
            ("refund", {"amount": "10,00"}),
            ("give_back", {"amount": "10,00", "transaction": "t1"}),
            ("chargeback", {"amount": "10,00"}),
            ("apply_overpayment", {"amount": "10,00", "number": OPEN}),
            ("withdraw_overpayment", {"number": OPEN}),
            ("drop_refund", {}),
            ("restore", {"amount": "10,00"}),
        )
    },
    "office.own_access": for_agents(frozenset(Role)),
    "office.renew_recovery_codes": for_agents(frozenset(Role), method="POST", fresh=True),
    "office.events": for_agents(
        ADMINISTRATION | {Role.CONTROLE},
        query={
            "agent": "bob", "action": "signed_in", "objet": "F1001", "du": "2026-11-01",
            "au": "2026-12-31", "apres": "9_9", "avant": "1_1",
        },
    ),
    "office.events_table": for_agents(
        ADMINISTRATION | {Role.CONTROLE}, query={"objet": "F1001"}, fresh=True
    ),
    "office.go": for_agents(READ_MONEY, query={"q": "F1001"}),
    "office.families": for_agents(MEET_FAMILIES, query={"q": "martin", "archivees": "1"}),
    "office.families_table": for_agents(
        TREAT, query={"q": "martin", "archivees": "1"}, fresh=True
    ),
    "office.family": for_agents(MEET_FAMILIES, path={"code": "F1001"}),
    "office.archive_family": for_agents(
        frozenset({Role.FACTURATION}), path={"code": "F1001"}, method="POST",
        form={"reason": "", "seen": ""},
    ),
    "office.merge_families": for_agents(
        frozenset({Role.FACTURATION}), path={"code": "F1001"}, method="POST", fresh=True,
        query={"double": "F2002"}, form={"double": "F2002", "reason": "", "seen": ""},
    ),
    "office.undo_merge": for_agents(
        frozenset({Role.FACTURATION}), path={"number": "{merge}"}, method="POST", fresh=True,
        form={"reason": "", "seen": ""},
    ),
    "office.bring_family_back": for_agents(
        frozenset({Role.FACTURATION}), path={"code": "F1001"}, method="POST"
    ),
    "office.seen_invoices": for_agents(
        MEET_FAMILIES, path={"code": "F1001"}, query={"page": "1"}
    ),
    "office.seen_invoice": for_agents(MEET_FAMILIES, path={"code": "F1001", "number": OPEN}),
    "office.seen_record": for_agents(MEET_FAMILIES, path={"code": "F1001"}),
    "office.imports": for_agents(MEET_FAMILIES | {Role.CONTROLE}, query={"avant": "9_9"}),
    "office.imports_table": for_agents(READ_MONEY, fresh=True),
    "office.uploads_table": for_agents(DEPOSIT, fresh=True),
    "office.deposit": for_agents(DEPOSIT, method="POST", form={"file": "x"}),
    "office.upload": for_agents(DEPOSIT, path={"number": "{upload}"}),
    "office.load_upload": for_agents(
        DEPOSIT, path={"number": "{upload}"}, method="POST",
        form={"fingerprint": "x", "announce_at": "x"},
    ),
    "office.name_debtors": for_agents(DEPOSIT, path={"number": "{upload}"}),
    "office.name_columns": for_agents(
        DEPOSIT, path={"number": "{upload}"}, method="POST",
        form={"service": "Cantine", "role": "", "column_0": "montant"},
    ),
    "office.drop_upload": for_agents(DEPOSIT, path={"number": "{upload}"}, method="POST"),
    "office.recognised": for_agents(
        DEPOSIT, query={"debiteur": "x", "apres": "2026-11-24T19:30:00.000000Z_1", "avant": ""}
    ),
    "office.recognised_table": for_agents(DEPOSIT, query={"debiteur": "x"}, fresh=True),
    "office.forget_debtor": for_agents(DEPOSIT, path={"number": "1"}, method="POST"),
    "office.forget_columns": for_agents(DEPOSIT, path={"number": "1"}, method="POST"),
    "office.undo_load": for_agents(
        frozenset({Role.FACTURATION}), path={"number": "{batch}"}, method="POST",
        form={"reason": "mauvais mois", "seen": "y"},
    ),
    **{
        f"office.family_{act}": for_agents(
            frozenset({Role.FACTURATION}), path={"code": "F1001"}, method="POST", form=fields,
            fresh=True,
        )
        for act, fields in {
            "letter": {"reason": "", "seen": "", "forget": "y"},
            "link": {"reason": "", "seen": "", "to": "x"},
            "password": {"reason": "", "seen": ""},
        }.items()
    },
    "office.letters": for_agents(
        frozenset({Role.FACTURATION}), method="POST", fresh=True,
        form={"reason": "", "seen": "", "again": "y"},
    ),
    "office.agents": for_agents(ADMINISTRATION),
    "office.agents_table": for_agents(ADMINISTRATION, fresh=True),
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


def bank_lines(data: Path) -> dict[str, str]:
    """A statement of two lines: one to explain, one that a person has called a fee. A table whose
    columns are to be said, and what was said of another."""
    on = date(2026, 11, 24)
    said = [Movement(on, on, cents, label, "") for cents, label in ((-250, "TPE"), (700, "VIR"))]
    file = ParsedFile(FileKind.CSV, (Period("FR76", None, None, None, None, tuple(said)),))
    regies = {"": AccountHolder("Régie Enfance", "banque")}
    loading.load(file, "releve.csv", "0", regie=None, regies=regies, author="Dominique")
    fee, line = StatementLine.select().order_by(StatementLine.amount_cents)
    matching.classify(fee.id, MatchKind.FEE, "Dominique", "abonnement")
    table = storing.keep(io.BytesIO(b"Jour;Texte;Euros\n04/11/2026;VIR;1,00\n"), "x", data)
    receiving.remember(["Jour", "Mot", "Somme"], {Meaning.LABEL: "Mot"}, "Dominique")
    return {
        "line": str(line.id),
        "bank_file": str(line.statement.file_id),
        "match": str(LineMatch.get().id),
        "table": table.sha256,
        "answer": str(receiving.answers()[0].id),
    }


def set_up(app: Flask, settings: Settings, family: Family, gateway: Gateway) -> Stage:
    """Alice's invoice to pay, with its PDF, and another that she paid online."""
    make_invoice(family, OPEN, pdf_name="abc.pdf")
    (settings.data / "pdf").mkdir()
    (settings.data / "pdf" / "abc.pdf").write_bytes(b"%PDF-1.7")
    paid = make_invoice(family, PAID, 4225)
    attempt = _pay_online(settings, family, gateway, paid)
    # Alice's child is three: what was paid for its meals counts, in this town.
    Child.create(family=family, name="Léa Martin", born_on=date(2023, 5, 2))
    rules = AttestationRules(services=("Restauration scolaire",), meal_labels=())
    app.extensions["settings"] = replace(settings, attestation=rules)
    with write():
        flag_anomaly(
            "scene", AnomalyKind.UNKNOWN_ORDER, 4520, "commande inconnue", regie="",
            gateway="banque", transaction_id="d" * 32,
        )  # fmt: skip
    asked = FamilyRequest.create(
        family=family, topic="other", message="Bonjour.", asked_at=clock.now()
    )
    agent = make_agent(Role.FACTURATION, "facturation.de.la.scene@sautron.example.org")
    deposit = _deposit(settings)
    gap = DepositGap.create(
        restoration=Restoration.create(backup_at=clock.now(), restored_at=clock.now()),
        regie="", year=2025, first=1,
    )  # fmt: skip
    values = {
        "deposit": str(deposit.id),
        "gap": str(gap.id),
        "agent": str(agent.id),
        "merge": str(_merge(family).id),
        **bank_lines(settings.data),
        "upload": str(make_upload(settings).id),
        "batch": str(ImportBatch.get().id),
        "paid": str(paid.id),
        "point": str(Anomaly.get().id),
        "request": str(asked.id),
        "role": str(StaffRole.get(StaffRole.staff == agent).id),
        "reference": attempt.reference,
        "receipt": str(Receipt.get().id),
        "settlement": str(Settlement.get().id),
        "stylesheet": app.extensions["assets"].stylesheet.name,
    }
    return Stage(app, values)


def _pay_online(settings: Settings, family: Family, gateway: Gateway, invoice: Invoice) -> Attempt:
    purchase = payments.Purchase(family, [invoice.number], invoice.total_cents, None)
    attempt, handoff = payments.start(purchase, gateway, PUBLIC_URL)
    said = notice(handoff, key=str(settings.gateways["banque"]["key"]))
    report = gateway.read_notification(Callback.of_form(said.items()))
    payments.record(gateway.name, report, ISSUERS)
    assert Invoice.get(Invoice.number == invoice.number).state == "paid"
    return attempt


def _merge(family: Family) -> FamilyMerge:
    return FamilyMerge.create(
        kept=family, gone=Family.create(code="01001", updated_on=date(2026, 11, 5)), moved="{}",
        merged_at=clock.now(), author="Dominique", reason="doublon",
    )  # fmt: skip


def _deposit(settings: Settings) -> Deposit:
    """Return what was collected until now, paid over."""
    deposits.set_imputation("", "Restauration scolaire", Imputed("70632"), "Dominique")
    to_pay = deposits.draft("", journal.last()[0])
    asked_for = (settings, "", to_pay.up_to, "Dominique", to_pay.fingerprint)
    return deposits.finalize(*asked_for, lambda _made: b"")
