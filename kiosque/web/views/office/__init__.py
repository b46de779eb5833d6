"""The town hall's area, `/mairie`: one module a subject, all on one blueprint.

An agent comes for each hundred families: a worker knows the addresses from the start, and imports
a subject when one of its pages is first asked for.
"""

from typing import Any, NamedTuple

from kiosque.staff.roles import Role
from kiosque.web.lazy_views import Later
from kiosque.web.office.access import (
    BOOK_READERS,
    DEPOSITORS,
    MEET_FAMILIES,
    READERS,
    TAKERS,
    TREATERS,
    reserved,
)
from kiosque.web.views.office.area import blueprint

__all__ = ["PAGES", "blueprint"]

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")
MONEY, BILLING, ADMIN = (Role.REGISSEUR,), (Role.FACTURATION,), (Role.ADMINISTRATION,)
#: A page that asks for a code again; one that opens to whoever has yet to sign in.
FRESH, OPEN = True, None


class Page(NamedTuple):
    """The view's name, how it may be asked for, its address under `/mairie`, the roles to which it
    opens, whether it wants a fresh code, what stands for the parts that the address leaves out."""

    view: str
    methods: tuple[str, ...]
    address: str
    roles: tuple[Role, ...] | None
    fresh: bool = False
    defaults: dict[str, Any] | None = None


def _as_files(view: str, address: str, roles: tuple[Role, ...]) -> tuple[Page, Page]:
    """Return the pages of a table that leaves, of each kind."""
    csv, ods = (
        Page(view, GET, f"{address}.{kind}", roles, FRESH, {"kind": kind})
        for kind in ("csv", "ods")
    )
    return csv, ods


def _view(subject: str, page: Page) -> Any:
    later = Later(f"{__name__}.{subject}", page.view)
    return later if page.roles is None else reserved(later, page.roles, fresh=page.fresh)


#: By subject, which names the module.
PAGES = {
    "today": (Page("today", GET, "", tuple(Role)),),
    "to_do": (
        Page("to_do", GET, "/a-traiter", TREATERS),
        *_as_files("points_table", "/a-traiter", TREATERS),
        *_as_files("mails_table", "/a-traiter/courriels", TREATERS),
        Page("point", GET, "/a-traiter/<int:number>", TREATERS),
        Page("conclude", POST, "/a-traiter/<int:number>", MONEY),
        Page("step", BOTH, "/a-traiter/<int:number>/<int:place>", MONEY, FRESH),
        Page("retry_mail", POST, "/a-traiter/courriels/<int:number>", TREATERS),
        Page("retry_mails", POST, "/a-traiter/courriels", TREATERS),
    ),
    "sign_in": (
        Page("sign_in", BOTH, "/connexion", OPEN),
        Page("code", BOTH, "/code", OPEN),
        Page("sign_out", POST, "/deconnexion", OPEN),
        Page("invitation", BOTH, "/invitation/<secret>", OPEN),
        Page("own_access", GET, "/mon-acces", tuple(Role)),
        Page("renew_recovery_codes", POST, "/mon-acces/codes", tuple(Role), FRESH),
    ),
    "agents": (
        Page("agents", GET, "/agents", ADMIN),
        *_as_files("agents_table", "/agents", ADMIN),
        Page("new_agent", BOTH, "/agents/nouveau", ADMIN, FRESH),
        Page("agent", GET, "/agents/<int:staff_id>", ADMIN, FRESH),
        Page("give_role", POST, "/agents/<int:staff_id>/roles", ADMIN, FRESH),
        Page("end_role", POST, "/agents/<int:staff_id>/roles/<int:role_id>/fin", ADMIN, FRESH),
        Page("send_link", POST, "/agents/<int:staff_id>/lien", ADMIN, FRESH),
        Page("forget_telephone", POST, "/agents/<int:staff_id>/telephone", ADMIN, FRESH),
        Page("close_agent", POST, "/agents/<int:staff_id>/fermer", ADMIN, FRESH),
    ),
    "archiving": (
        Page("archive_family", BOTH, "/familles/<code>/archiver", BILLING),
        Page("bring_family_back", POST, "/familles/<code>/retablir", BILLING),
    ),
    "as_family": (
        Page("seen_invoices", GET, "/familles/<code>/vue", MEET_FAMILIES),
        Page("seen_invoice", GET, "/familles/<code>/vue/factures/<path:number>", MEET_FAMILIES),
        Page("seen_record", GET, "/familles/<code>/vue/famille", MEET_FAMILIES),
    ),
    "bank": (
        Page("bank", GET, "/banque", BOOK_READERS),
        *_as_files("bank_table", "/banque", BOOK_READERS),
        Page("load_statement", POST, "/banque", MONEY),
        Page("match_again", POST, "/banque/rapprocher", MONEY),
        Page("bank_line", GET, "/banque/<int:number>", BOOK_READERS),
        Page("explain_line", POST, "/banque/<int:number>", MONEY),
        Page("undo_match", BOTH, "/banque/rapprochements/<int:number>/annuler", MONEY),
    ),
    "bank_columns": (
        Page("name_bank_columns", POST, "/banque/colonnes/<digest>", MONEY),
        Page("forget_bank_columns", POST, "/banque/colonnes/<int:number>/oublier", MONEY),
    ),
    "bank_files": (
        *_as_files("bank_files_table", "/banque/fichiers", BOOK_READERS),
        Page("undo_statement", BOTH, "/banque/fichiers/<int:number>/annuler", MONEY),
    ),
    "closures": (
        Page("close_bank", BOTH, "/reglages/banques/<gateway>/suspendre", ADMIN, FRESH),
        Page("open_bank", POST, "/reglages/banques/<gateway>/rouvrir", ADMIN, FRESH),
    ),
    "deposits": (
        Page("bordereaux", GET, "/bordereaux", BOOK_READERS),
        *_as_files("bordereaux_table", "/bordereaux", BOOK_READERS),
        Page("finalize", BOTH, "/bordereaux/definitif", MONEY, FRESH, {"regie": ""}),
        Page("finalize", BOTH, "/bordereaux/definitif/<regie>", MONEY, FRESH),
        Page("resume_numbers", BOTH, "/bordereaux/reprendre/<int:number>", MONEY, FRESH),
        Page("answer_bordereau", BOTH, "/bordereaux/<int:number>/reponse", MONEY),
        Page("bordereau_paper", GET, "/documents/bordereaux/<int:number>.pdf", BOOK_READERS),
        Page(
            "bordereau_payers",
            GET,
            "/documents/bordereaux/<int:number>/liste.pdf",
            BOOK_READERS,
            FRESH,
        ),
        *_as_files("bordereau_table", "/documents/bordereaux/<int:number>", BOOK_READERS),
    ),
    "events": (
        Page("events", GET, "/journal-des-actions", (*ADMIN, Role.CONTROLE)),
        *_as_files("events_table", "/journal-des-actions", (*ADMIN, Role.CONTROLE)),
    ),
    "exports": (
        *_as_files("invoices_table", "/factures", TAKERS),
        *_as_files("settlements_table", "/encaissements", TAKERS),
        Page("export", BOTH, "/encaissements/export", TAKERS, FRESH),
    ),
    "families": (
        Page("go", GET, "/aller", (*MEET_FAMILIES, Role.CONTROLE)),
        Page("families", GET, "/familles", MEET_FAMILIES),
        *_as_files("families_table", "/familles", TAKERS),
        Page("family", GET, "/familles/<code>", MEET_FAMILIES),
    ),
    "recognised": (
        Page("recognised", GET, "/imports/reconnus", DEPOSITORS),
        *_as_files("recognised_table", "/imports/reconnus", DEPOSITORS),
        Page("forget_debtor", POST, "/imports/reconnus/debiteurs/<int:number>", DEPOSITORS),
        Page("forget_columns", POST, "/imports/reconnus/colonnes/<int:number>", DEPOSITORS),
    ),
    "letters": (Page("letters", BOTH, "/familles/lettres", BILLING, FRESH),),
    "family_access": (
        Page("family_letter", BOTH, "/familles/<code>/lettre", BILLING, FRESH),
        Page("family_link", BOTH, "/familles/<code>/lien", BILLING, FRESH),
        Page("family_password", BOTH, "/familles/<code>/mot-de-passe", BILLING, FRESH),
    ),
    "imports": (
        Page("imports", GET, "/imports", READERS),
        *_as_files("imports_table", "/imports", READERS),
        *_as_files("uploads_table", "/imports/deposes", DEPOSITORS),
        Page("deposit", POST, "/imports", DEPOSITORS),
        Page("type_invoice", BOTH, "/factures/nouvelle", BILLING),
        Page("upload", GET, "/imports/<int:number>", DEPOSITORS),
        Page("load_upload", POST, "/imports/<int:number>/charger", DEPOSITORS),
        Page("drop_upload", POST, "/imports/<int:number>/retirer", DEPOSITORS),
        Page("undo_load", BOTH, "/imports/annuler/<int:number>", BILLING),
    ),
    "imputations": (
        Page("imputations", BOTH, "/reglages/imputations", (*MONEY, *ADMIN), FRESH),
        *_as_files("imputations_table", "/reglages/imputations", (*MONEY, *ADMIN)),
    ),
    "invoice_acts": (
        Page("cancel_invoice", BOTH, "/factures/<path:number>/annuler", TREATERS),
        Page("take", BOTH, "/factures/<path:number>/encaisser", MONEY),
        Page("transmit", BOTH, "/factures/<path:number>/transmettre", MONEY, FRESH),
        Page("transmit_many", BOTH, "/factures/transmettre", MONEY, FRESH),
        Page("take_back", BOTH, "/factures/<path:number>/reprendre", MONEY, FRESH),
        Page("apply_credit", BOTH, "/factures/<path:number>/affecter", MONEY, FRESH),
        Page("take_credit_off", BOTH, "/factures/<path:number>/avoirs/<int:note>", MONEY, FRESH),
        Page("send_notice", POST, "/courriels/factures/<path:number>", TREATERS),
    ),
    "invoices": (
        Page("invoices", GET, "/factures", READERS),
        Page("invoice", GET, "/factures/<path:number>", READERS),
        Page("invoice_paper", GET, "/documents/factures/<path:number>.pdf", MEET_FAMILIES),
    ),
    "journal": (
        Page("journal", GET, "/journal", BOOK_READERS),
        *_as_files("journal_table", "/journal", BOOK_READERS),
    ),
    "mending": (
        Page("name_debtors", BOTH, "/imports/<int:number>/familles", DEPOSITORS),
        Page("name_columns", BOTH, "/imports/<int:number>/colonnes", DEPOSITORS),
    ),
    "merging": (
        Page("merge_families", BOTH, "/familles/<code>/fusionner", BILLING, FRESH),
        Page("undo_merge", BOTH, "/familles/fusions/<int:number>", BILLING, FRESH),
    ),
    "months": (
        Page("months", GET, "/mois", BOOK_READERS),
        Page("month", GET, "/mois/<name>", BOOK_READERS),
        Page("carry_over", BOTH, "/mois/<name>/reporter/<int:number>", MONEY),
        Page("ask_bank", POST, "/mois/<name>/interroger/<reference>", MONEY),
        Page("close_month", BOTH, "/mois/<name>/arreter", MONEY, FRESH),
        Page("month_papers", GET, "/mois/<name>/papiers.zip", BOOK_READERS, FRESH),
    ),
    "personal_data": (
        Page("personal_data", GET, "/donnees", ADMIN, FRESH),
        Page("export_family", BOTH, "/donnees/<code>/remettre", ADMIN, FRESH),
        Page("erase_family", BOTH, "/donnees/<code>/effacer", ADMIN, FRESH),
    ),
    "requests": (
        Page("requests_", GET, "/demandes", BILLING),
        *_as_files("requests_table", "/demandes", BILLING),
        Page("request_", BOTH, "/demandes/<int:number>", BILLING),
    ),
    "settings": (
        Page("settings", GET, "/reglages", ADMIN),
        Page("change_settings", BOTH, "/reglages/<section>", ADMIN, FRESH),
        Page("change_logo", BOTH, "/reglages/logo", ADMIN, FRESH),
        Page("remove_logo", POST, "/reglages/logo/retirer", ADMIN, FRESH),
    ),
    "settlement_acts": (
        Page("refund", BOTH, "/encaissements/<int:settlement_id>/rembourser", MONEY, FRESH),
        Page("give_back", BOTH, "/encaissements/<int:settlement_id>/rendre", MONEY, FRESH),
        Page("chargeback", BOTH, "/encaissements/<int:settlement_id>/impaye", MONEY, FRESH),
        Page("restore", BOTH, "/encaissements/<int:settlement_id>/retablir", MONEY, FRESH),
        Page(
            "apply_overpayment", BOTH, "/encaissements/<int:settlement_id>/affecter", MONEY, FRESH
        ),
        Page(
            "withdraw_overpayment",
            BOTH,
            "/encaissements/<int:settlement_id>/desaffecter",
            MONEY,
            FRESH,
        ),
        Page("drop_refund", BOTH, "/encaissements/<int:settlement_id>/abandonner", MONEY, FRESH),
        Page("keep_back", BOTH, "/encaissements/<int:settlement_id>/garder", MONEY),
        Page("take_up", BOTH, "/encaissements/<int:settlement_id>/reprendre", MONEY),
        Page("send_receipt", POST, "/encaissements/<int:settlement_id>/recu", TREATERS),
    ),
    "settlements": (
        Page("settlements", GET, "/encaissements", READERS),
        Page("settlement", GET, "/encaissements/<name>", READERS),
        Page("receipt_paper", GET, "/documents/recus/<int:receipt_id>.pdf", READERS),
    ),
    "texts": (
        Page("change_text", BOTH, "/reglages/textes/<name>", ADMIN),
        Page("restore_text", BOTH, "/reglages/textes/<name>/origine", ADMIN),
    ),
    "trial": (
        Page("try_payment", BOTH, "/reglages/essai/<gateway>", ADMIN, FRESH),
        Page("refund_trial", BOTH, "/reglages/essai/<gateway>/rendre", ADMIN, FRESH),
        Page("note_trial_given_back", BOTH, "/reglages/essai/<gateway>/noter", ADMIN, FRESH),
        Page("cancel_trial", BOTH, "/reglages/essai/<gateway>/annuler", ADMIN, FRESH),
    ),
}

for _subject, _pages in PAGES.items():
    _views = {page.view: _view(_subject, page) for page in _pages}
    for _page in _pages:
        blueprint.add_url_rule(
            _page.address,
            _page.view,
            _views[_page.view],
            methods=_page.methods,
            defaults=_page.defaults or {},
        )
