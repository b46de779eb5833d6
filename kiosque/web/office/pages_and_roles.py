"""The pages of the town hall's area: the address of each, and the roles to which it opens."""

from typing import Any, NamedTuple

from kiosque.staff.roles import Role
from kiosque.web.office.access import (
    BOOK_READERS,
    DEPOSITORS,
    MEET_FAMILIES,
    READERS,
    TAKERS,
    TREATERS,
)

GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")
MONEY, BILLING, ADMIN = (Role.REGISSEUR,), (Role.FACTURATION,), (Role.ADMINISTRATION,)
#: Options of a page: it asks for a code again; it opens to those who have not signed in yet.
FRESH, OPEN = True, None


class OfficePage(NamedTuple):
    """The view's name, its HTTP methods, its address under `/mairie`, the roles to which it opens,
    whether it asks for a fresh code, and defaults for the parts that the address leaves out."""

    view: str
    methods: tuple[str, ...]
    address: str
    roles: tuple[Role, ...] | None
    fresh: bool = False
    defaults: dict[str, Any] | None = None


def _as_files(view: str, address: str, roles: tuple[Role, ...]) -> tuple[OfficePage, OfficePage]:
    """Return the pages that download a table, one for each kind of file."""
    csv, ods = (
        OfficePage(view, GET, f"{address}.{kind}", roles, FRESH, {"kind": kind})
        for kind in ("csv", "ods")
    )
    return csv, ods


#: The pages by subject; the subject is the name of the module.
PAGES = {
    "today": (OfficePage("today", GET, "", tuple(Role)),),
    "to_do": (
        OfficePage("to_do", GET, "/a-traiter", TREATERS),
        *_as_files("points_table", "/a-traiter", TREATERS),
        *_as_files("mails_table", "/a-traiter/courriels", TREATERS),
        OfficePage("point", GET, "/a-traiter/<int:number>", TREATERS),
        OfficePage("conclude", POST, "/a-traiter/<int:number>", MONEY),
        OfficePage("step", BOTH, "/a-traiter/<int:number>/<int:place>", MONEY, FRESH),
        OfficePage("retry_mail", POST, "/a-traiter/courriels/<int:number>", TREATERS),
        OfficePage("retry_mails", POST, "/a-traiter/courriels", TREATERS),
    ),
    "sign_in": (
        OfficePage("sign_in", BOTH, "/connexion", OPEN),
        OfficePage("code", BOTH, "/code", OPEN),
        OfficePage("sign_out", POST, "/deconnexion", OPEN),
        OfficePage("invitation", BOTH, "/invitation/<secret>", OPEN),
        OfficePage("own_access", GET, "/mon-acces", tuple(Role)),
        OfficePage("renew_recovery_codes", POST, "/mon-acces/codes", tuple(Role), FRESH),
    ),
    "agents": (
        OfficePage("agents", GET, "/agents", ADMIN),
        *_as_files("agents_table", "/agents", ADMIN),
        OfficePage("new_agent", BOTH, "/agents/nouveau", ADMIN, FRESH),
        OfficePage("agent", GET, "/agents/<int:staff_id>", ADMIN, FRESH),
        OfficePage("give_role", POST, "/agents/<int:staff_id>/roles", ADMIN, FRESH),
        OfficePage(
            "end_role", POST, "/agents/<int:staff_id>/roles/<int:role_id>/fin", ADMIN, FRESH
        ),
        OfficePage("send_link", POST, "/agents/<int:staff_id>/lien", ADMIN, FRESH),
        OfficePage("forget_telephone", POST, "/agents/<int:staff_id>/telephone", ADMIN, FRESH),
        OfficePage("close_agent", POST, "/agents/<int:staff_id>/fermer", ADMIN, FRESH),
    ),
    "archiving": (
        OfficePage("archive_family", BOTH, "/familles/<code>/archiver", BILLING),
        OfficePage("bring_family_back", POST, "/familles/<code>/retablir", BILLING),
    ),
    "as_family": (
        OfficePage("seen_invoices", GET, "/familles/<code>/vue", MEET_FAMILIES),
        OfficePage(
            "seen_invoice", GET, "/familles/<code>/vue/factures/<path:number>", MEET_FAMILIES
        ),
        OfficePage("seen_record", GET, "/familles/<code>/vue/famille", MEET_FAMILIES),
    ),
    "bank": (
        OfficePage("bank", GET, "/banque", BOOK_READERS),
        *_as_files("bank_table", "/banque", BOOK_READERS),
        OfficePage("load_statement", POST, "/banque", MONEY),
        OfficePage("match_again", POST, "/banque/rapprocher", MONEY),
        OfficePage("bank_line", GET, "/banque/<int:number>", BOOK_READERS),
        OfficePage("explain_line", POST, "/banque/<int:number>", MONEY),
        OfficePage("undo_match", BOTH, "/banque/rapprochements/<int:number>/annuler", MONEY),
    ),
    "bank_columns": (
        OfficePage("name_bank_columns", POST, "/banque/colonnes/<digest>", MONEY),
        OfficePage("forget_bank_columns", POST, "/banque/colonnes/<int:number>/oublier", MONEY),
    ),
    "bank_files": (
        *_as_files("bank_files_table", "/banque/fichiers", BOOK_READERS),
        OfficePage("undo_statement", BOTH, "/banque/fichiers/<int:number>/annuler", MONEY),
    ),
    "closures": (
        OfficePage("close_bank", BOTH, "/reglages/banques/<gateway>/suspendre", ADMIN, FRESH),
        OfficePage("open_bank", POST, "/reglages/banques/<gateway>/rouvrir", ADMIN, FRESH),
    ),
    "deposits": (
        OfficePage("bordereaux", GET, "/bordereaux", BOOK_READERS),
        *_as_files("bordereaux_table", "/bordereaux", BOOK_READERS),
        OfficePage("finalize", BOTH, "/bordereaux/definitif", MONEY, FRESH, {"regie": ""}),
        OfficePage("finalize", BOTH, "/bordereaux/definitif/<regie>", MONEY, FRESH),
        OfficePage("resume_numbers", BOTH, "/bordereaux/reprendre/<int:number>", MONEY, FRESH),
        OfficePage("answer_bordereau", BOTH, "/bordereaux/<int:number>/reponse", MONEY),
        OfficePage("bordereau_paper", GET, "/documents/bordereaux/<int:number>.pdf", BOOK_READERS),
        OfficePage(
            "bordereau_payers",
            GET,
            "/documents/bordereaux/<int:number>/liste.pdf",
            BOOK_READERS,
            FRESH,
        ),
        *_as_files("bordereau_table", "/documents/bordereaux/<int:number>", BOOK_READERS),
    ),
    "events": (
        OfficePage("events", GET, "/journal-des-actions", (*ADMIN, Role.CONTROLE)),
        *_as_files("events_table", "/journal-des-actions", (*ADMIN, Role.CONTROLE)),
    ),
    "exports": (
        *_as_files("invoices_table", "/factures", TAKERS),
        *_as_files("settlements_table", "/encaissements", TAKERS),
        OfficePage("export", BOTH, "/encaissements/export", TAKERS, FRESH),
    ),
    "families": (
        OfficePage("go", GET, "/aller", (*MEET_FAMILIES, Role.CONTROLE)),
        OfficePage("families", GET, "/familles", MEET_FAMILIES),
        *_as_files("families_table", "/familles", TAKERS),
        OfficePage("family", GET, "/familles/<code>", MEET_FAMILIES),
    ),
    "recognised": (
        OfficePage("recognised", GET, "/imports/reconnus", DEPOSITORS),
        *_as_files("recognised_table", "/imports/reconnus", DEPOSITORS),
        OfficePage("forget_debtor", POST, "/imports/reconnus/debiteurs/<int:number>", DEPOSITORS),
        OfficePage("forget_columns", POST, "/imports/reconnus/colonnes/<int:number>", DEPOSITORS),
    ),
    "letters": (OfficePage("letters", BOTH, "/familles/lettres", BILLING, FRESH),),
    "family_access": (
        OfficePage("family_letter", BOTH, "/familles/<code>/lettre", BILLING, FRESH),
        OfficePage("family_link", BOTH, "/familles/<code>/lien", BILLING, FRESH),
        OfficePage("family_password", BOTH, "/familles/<code>/mot-de-passe", BILLING, FRESH),
    ),
    "imports": (
        OfficePage("imports", GET, "/imports", READERS),
        *_as_files("imports_table", "/imports", READERS),
        *_as_files("uploads_table", "/imports/deposes", DEPOSITORS),
        OfficePage("deposit", POST, "/imports", DEPOSITORS),
        OfficePage("type_invoice", BOTH, "/factures/nouvelle", BILLING),
        OfficePage("upload", GET, "/imports/<int:number>", DEPOSITORS),
        OfficePage("load_upload", POST, "/imports/<int:number>/charger", DEPOSITORS),
        OfficePage("drop_upload", POST, "/imports/<int:number>/retirer", DEPOSITORS),
        OfficePage("undo_load", BOTH, "/imports/annuler/<int:number>", BILLING),
    ),
    "imputations": (
        OfficePage("imputations", BOTH, "/reglages/imputations", (*MONEY, *ADMIN), FRESH),
        *_as_files("imputations_table", "/imputations", (*MONEY, *ADMIN)),
    ),
    "invoice_acts": (
        OfficePage("cancel_invoice", BOTH, "/factures/<path:number>/annuler", TREATERS),
        OfficePage("take", BOTH, "/factures/<path:number>/encaisser", MONEY),
        OfficePage("transmit", BOTH, "/factures/<path:number>/transmettre", MONEY, FRESH),
        OfficePage("transmit_many", BOTH, "/factures/transmettre", MONEY, FRESH),
        OfficePage("take_back", BOTH, "/factures/<path:number>/reprendre", MONEY, FRESH),
        OfficePage("apply_credit", BOTH, "/factures/<path:number>/affecter", MONEY, FRESH),
        OfficePage(
            "take_credit_off", BOTH, "/factures/<path:number>/avoirs/<int:note>", MONEY, FRESH
        ),
        OfficePage("send_notice", POST, "/courriels/factures/<path:number>", TREATERS),
    ),
    "invoices": (
        OfficePage("invoices", GET, "/factures", READERS),
        OfficePage("invoice", GET, "/factures/<path:number>", READERS),
        OfficePage("invoice_paper", GET, "/documents/factures/<path:number>.pdf", MEET_FAMILIES),
    ),
    "journal": (
        OfficePage("journal", GET, "/journal", BOOK_READERS),
        *_as_files("journal_table", "/journal", BOOK_READERS),
    ),
    "refused_files": (
        OfficePage("name_debtors", BOTH, "/imports/<int:number>/familles", DEPOSITORS),
        OfficePage("name_columns", BOTH, "/imports/<int:number>/colonnes", DEPOSITORS),
    ),
    "merging": (
        OfficePage("merge_families", BOTH, "/familles/<code>/fusionner", BILLING, FRESH),
        OfficePage("undo_merge", BOTH, "/familles/fusions/<int:number>", BILLING, FRESH),
    ),
    "months": (
        OfficePage("months", GET, "/mois", BOOK_READERS),
        OfficePage("month", GET, "/mois/<name>", BOOK_READERS),
        OfficePage("carry_over", BOTH, "/mois/<name>/reporter/<int:number>", MONEY),
        OfficePage("ask_bank", POST, "/mois/<name>/interroger/<reference>", MONEY),
        OfficePage("close_month", BOTH, "/mois/<name>/arreter", MONEY, FRESH),
        OfficePage("month_papers", GET, "/mois/<name>/papiers.zip", BOOK_READERS, FRESH),
    ),
    "personal_data": (
        OfficePage("personal_data", GET, "/donnees", ADMIN, FRESH),
        OfficePage("export_family", BOTH, "/donnees/<code>/remettre", ADMIN, FRESH),
        OfficePage("erase_family", BOTH, "/donnees/<code>/effacer", ADMIN, FRESH),
    ),
    "requests": (
        OfficePage("requests_", GET, "/demandes", BILLING),
        *_as_files("requests_table", "/demandes", BILLING),
        OfficePage("request_", BOTH, "/demandes/<int:number>", BILLING),
    ),
    "settings": (
        OfficePage("settings", GET, "/reglages", ADMIN),
        OfficePage("change_settings", BOTH, "/reglages/<section>", ADMIN, FRESH),
        OfficePage("change_logo", BOTH, "/reglages/logo", ADMIN, FRESH),
        OfficePage("remove_logo", POST, "/reglages/logo/retirer", ADMIN, FRESH),
    ),
    "settlement_acts": (
        OfficePage("refund", BOTH, "/encaissements/<int:settlement_id>/rembourser", MONEY, FRESH),
        OfficePage("give_back", BOTH, "/encaissements/<int:settlement_id>/rendre", MONEY, FRESH),
        OfficePage("chargeback", BOTH, "/encaissements/<int:settlement_id>/impaye", MONEY, FRESH),
        OfficePage("restore", BOTH, "/encaissements/<int:settlement_id>/retablir", MONEY, FRESH),
        OfficePage(
            "apply_overpayment", BOTH, "/encaissements/<int:settlement_id>/affecter", MONEY, FRESH
        ),
        OfficePage(
            "withdraw_overpayment",
            BOTH,
            "/encaissements/<int:settlement_id>/desaffecter",
            MONEY,
            FRESH,
        ),
        OfficePage(
            "drop_refund", BOTH, "/encaissements/<int:settlement_id>/abandonner", MONEY, FRESH
        ),
        OfficePage("keep_back", BOTH, "/encaissements/<int:settlement_id>/garder", MONEY),
        OfficePage("take_up", BOTH, "/encaissements/<int:settlement_id>/reprendre", MONEY),
        OfficePage("send_receipt", POST, "/encaissements/<int:settlement_id>/recu", TREATERS),
    ),
    "settlements": (
        OfficePage("settlements", GET, "/encaissements", READERS),
        OfficePage("settlement", GET, "/encaissements/<name>", READERS),
        OfficePage("receipt_paper", GET, "/documents/recus/<int:receipt_id>.pdf", READERS),
    ),
    "texts": (
        OfficePage("change_text", BOTH, "/reglages/textes/<name>", ADMIN),
        OfficePage("restore_text", BOTH, "/reglages/textes/<name>/origine", ADMIN),
    ),
    "trial": (
        OfficePage("try_payment", BOTH, "/reglages/essai/<gateway>", ADMIN, FRESH),
        OfficePage("refund_trial", BOTH, "/reglages/essai/<gateway>/rendre", ADMIN, FRESH),
        OfficePage("note_trial_given_back", BOTH, "/reglages/essai/<gateway>/noter", ADMIN, FRESH),
        OfficePage("cancel_trial", BOTH, "/reglages/essai/<gateway>/annuler", ADMIN, FRESH),
    ),
}
