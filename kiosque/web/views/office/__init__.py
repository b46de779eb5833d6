"""The town hall's area, `/mairie`: one module a subject, all on one blueprint.

An agent comes for each hundred families: a worker knows the addresses from the start, and imports
a subject when one of its pages is first asked for.
"""

from typing import Any, NamedTuple

from kiosque.web.lazy_views import Later
from kiosque.web.views.office.area import blueprint

__all__ = ["PAGES", "blueprint"]

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")


class Page(NamedTuple):
    """The view's name, how it may be asked for, its address under `/mairie`, and what stands for
    the parts that the address leaves out."""

    view: str
    methods: tuple[str, ...]
    address: str
    defaults: dict[str, Any] | None = None


def _as_files(view: str, address: str) -> tuple[Page, Page]:
    """Return the pages of a table that leaves, of each kind."""
    csv, ods = (Page(view, GET, f"{address}.{kind}", {"kind": kind}) for kind in ("csv", "ods"))
    return csv, ods


#: By subject, which names the module.
PAGES = {
    "today": (Page("today", GET, ""),),
    "to_do": (
        Page("to_do", GET, "/a-traiter"),
        *_as_files("points_table", "/a-traiter"),
        *_as_files("mails_table", "/a-traiter/courriels"),
        Page("point", GET, "/a-traiter/<int:number>"),
        Page("conclude", POST, "/a-traiter/<int:number>"),
        Page("step", BOTH, "/a-traiter/<int:number>/<int:place>"),
        Page("retry_mail", POST, "/a-traiter/courriels/<int:number>"),
        Page("retry_mails", POST, "/a-traiter/courriels"),
    ),
    "sign_in": (
        Page("sign_in", BOTH, "/connexion"),
        Page("code", BOTH, "/code"),
        Page("sign_out", POST, "/deconnexion"),
        Page("invitation", BOTH, "/invitation/<secret>"),
        Page("own_access", GET, "/mon-acces"),
        Page("renew_recovery_codes", POST, "/mon-acces/codes"),
    ),
    "agents": (
        Page("agents", GET, "/agents"),
        *_as_files("agents_table", "/agents"),
        Page("new_agent", BOTH, "/agents/nouveau"),
        Page("agent", GET, "/agents/<int:staff_id>"),
        Page("give_role", POST, "/agents/<int:staff_id>/roles"),
        Page("end_role", POST, "/agents/<int:staff_id>/roles/<int:role_id>/fin"),
        Page("send_link", POST, "/agents/<int:staff_id>/lien"),
        Page("forget_telephone", POST, "/agents/<int:staff_id>/telephone"),
        Page("close_agent", POST, "/agents/<int:staff_id>/fermer"),
    ),
    "archiving": (
        Page("archive_family", BOTH, "/familles/<code>/archiver"),
        Page("bring_family_back", POST, "/familles/<code>/retablir"),
    ),
    "as_family": (
        Page("seen_invoices", GET, "/familles/<code>/vue"),
        Page("seen_invoice", GET, "/familles/<code>/vue/factures/<path:number>"),
        Page("seen_record", GET, "/familles/<code>/vue/famille"),
    ),
    "bank": (
        Page("bank", GET, "/banque"),
        *_as_files("bank_table", "/banque"),
        Page("load_statement", POST, "/banque"),
        Page("match_again", POST, "/banque/rapprocher"),
        Page("bank_line", GET, "/banque/<int:number>"),
        Page("explain_line", POST, "/banque/<int:number>"),
        Page("undo_match", BOTH, "/banque/rapprochements/<int:number>/annuler"),
    ),
    "bank_columns": (
        Page("name_bank_columns", POST, "/banque/colonnes/<digest>"),
        Page("forget_bank_columns", POST, "/banque/colonnes/<int:number>/oublier"),
    ),
    "bank_files": (
        *_as_files("bank_files_table", "/banque/fichiers"),
        Page("undo_statement", BOTH, "/banque/fichiers/<int:number>/annuler"),
    ),
    "closures": (
        Page("close_bank", BOTH, "/reglages/banques/<gateway>/suspendre"),
        Page("open_bank", POST, "/reglages/banques/<gateway>/rouvrir"),
    ),
    "deposits": (
        Page("bordereaux", GET, "/bordereaux"),
        *_as_files("bordereaux_table", "/bordereaux"),
        Page("finalize", BOTH, "/bordereaux/definitif", {"regie": ""}),
        Page("finalize", BOTH, "/bordereaux/definitif/<regie>"),
        Page("resume_numbers", BOTH, "/bordereaux/reprendre/<int:number>"),
        Page("answer_bordereau", BOTH, "/bordereaux/<int:number>/reponse"),
        Page("bordereau_paper", GET, "/documents/bordereaux/<int:number>.pdf"),
        Page("bordereau_payers", GET, "/documents/bordereaux/<int:number>/liste.pdf"),
        *_as_files("bordereau_table", "/documents/bordereaux/<int:number>"),
    ),
    "events": (
        Page("events", GET, "/journal-des-actions"),
        *_as_files("events_table", "/journal-des-actions"),
    ),
    "exports": (
        *_as_files("invoices_table", "/factures"),
        *_as_files("settlements_table", "/encaissements"),
        Page("export", BOTH, "/encaissements/export"),
    ),
    "families": (
        Page("go", GET, "/aller"),
        Page("families", GET, "/familles"),
        *_as_files("families_table", "/familles"),
        Page("family", GET, "/familles/<code>"),
    ),
    "recognised": (
        Page("recognised", GET, "/imports/reconnus"),
        *_as_files("recognised_table", "/imports/reconnus"),
        Page("forget_debtor", POST, "/imports/reconnus/debiteurs/<int:number>"),
        Page("forget_columns", POST, "/imports/reconnus/colonnes/<int:number>"),
    ),
    "letters": (Page("letters", BOTH, "/familles/lettres"),),
    "family_access": (
        Page("family_letter", BOTH, "/familles/<code>/lettre"),
        Page("family_link", BOTH, "/familles/<code>/lien"),
        Page("family_password", BOTH, "/familles/<code>/mot-de-passe"),
    ),
    "imports": (
        Page("imports", GET, "/imports"),
        *_as_files("imports_table", "/imports"),
        *_as_files("uploads_table", "/imports/deposes"),
        Page("deposit", POST, "/imports"),
        Page("type_invoice", BOTH, "/factures/nouvelle"),
        Page("upload", GET, "/imports/<int:number>"),
        Page("load_upload", POST, "/imports/<int:number>/charger"),
        Page("drop_upload", POST, "/imports/<int:number>/retirer"),
        Page("undo_load", BOTH, "/imports/annuler/<int:number>"),
    ),
    "imputations": (
        Page("imputations", BOTH, "/reglages/imputations"),
        *_as_files("imputations_table", "/reglages/imputations"),
    ),
    "invoice_acts": (
        Page("cancel_invoice", BOTH, "/factures/<path:number>/annuler"),
        Page("take", BOTH, "/factures/<path:number>/encaisser"),
        Page("transmit", BOTH, "/factures/<path:number>/transmettre"),
        Page("transmit_many", BOTH, "/factures/transmettre"),
        Page("take_back", BOTH, "/factures/<path:number>/reprendre"),
        Page("apply_credit", BOTH, "/factures/<path:number>/affecter"),
        Page("take_credit_off", BOTH, "/factures/<path:number>/avoirs/<int:note>"),
        Page("send_notice", POST, "/courriels/factures/<path:number>"),
    ),
    "invoices": (
        Page("invoices", GET, "/factures"),
        Page("invoice", GET, "/factures/<path:number>"),
        Page("invoice_paper", GET, "/documents/factures/<path:number>.pdf"),
    ),
    "journal": (
        Page("journal", GET, "/journal"),
        *_as_files("journal_table", "/journal"),
    ),
    "mending": (
        Page("name_debtors", BOTH, "/imports/<int:number>/familles"),
        Page("name_columns", BOTH, "/imports/<int:number>/colonnes"),
    ),
    "merging": (
        Page("merge_families", BOTH, "/familles/<code>/fusionner"),
        Page("undo_merge", BOTH, "/familles/fusions/<int:number>"),
    ),
    "months": (
        Page("months", GET, "/mois"),
        Page("month", GET, "/mois/<name>"),
        Page("carry_over", BOTH, "/mois/<name>/reporter/<int:number>"),
        Page("ask_bank", POST, "/mois/<name>/interroger/<reference>"),
        Page("close_month", BOTH, "/mois/<name>/arreter"),
        Page("month_papers", GET, "/mois/<name>/papiers.zip"),
    ),
    "personal_data": (
        Page("personal_data", GET, "/donnees"),
        Page("export_family", BOTH, "/donnees/<code>/remettre"),
        Page("erase_family", BOTH, "/donnees/<code>/effacer"),
    ),
    "requests": (
        Page("requests_", GET, "/demandes"),
        *_as_files("requests_table", "/demandes"),
        Page("request_", BOTH, "/demandes/<int:number>"),
    ),
    "settings": (
        Page("settings", GET, "/reglages"),
        Page("change_settings", BOTH, "/reglages/<section>"),
        Page("change_logo", BOTH, "/reglages/logo"),
        Page("remove_logo", POST, "/reglages/logo/retirer"),
    ),
    "settlement_acts": (
        Page("refund", BOTH, "/encaissements/<int:settlement_id>/rembourser"),
        Page("give_back", BOTH, "/encaissements/<int:settlement_id>/rendre"),
        Page("chargeback", BOTH, "/encaissements/<int:settlement_id>/impaye"),
        Page("restore", BOTH, "/encaissements/<int:settlement_id>/retablir"),
        Page("apply_overpayment", BOTH, "/encaissements/<int:settlement_id>/affecter"),
        Page("withdraw_overpayment", BOTH, "/encaissements/<int:settlement_id>/desaffecter"),
        Page("drop_refund", BOTH, "/encaissements/<int:settlement_id>/abandonner"),
        Page("keep_back", BOTH, "/encaissements/<int:settlement_id>/garder"),
        Page("take_up", BOTH, "/encaissements/<int:settlement_id>/reprendre"),
        Page("send_receipt", POST, "/encaissements/<int:settlement_id>/recu"),
    ),
    "settlements": (
        Page("settlements", GET, "/encaissements"),
        Page("settlement", GET, "/encaissements/<name>"),
        Page("receipt_paper", GET, "/documents/recus/<int:receipt_id>.pdf"),
    ),
    "texts": (
        Page("change_text", BOTH, "/reglages/textes/<name>"),
        Page("restore_text", BOTH, "/reglages/textes/<name>/origine"),
    ),
    "trial": (
        Page("try_payment", BOTH, "/reglages/essai/<gateway>"),
        Page("refund_trial", BOTH, "/reglages/essai/<gateway>/rendre"),
        Page("note_trial_given_back", BOTH, "/reglages/essai/<gateway>/noter"),
        Page("cancel_trial", BOTH, "/reglages/essai/<gateway>/annuler"),
    ),
}

for _subject, _pages in PAGES.items():
    _views = {page.view: Later(f"{__name__}.{_subject}", page.view) for page in _pages}
    for _page in _pages:
        blueprint.add_url_rule(
            _page.address,
            _page.view,
            _views[_page.view],
            methods=_page.methods,
            defaults=_page.defaults or {},
        )
