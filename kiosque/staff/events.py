"""Who did what, and who read which family's record: a log apart from the accounts' journal.

The database refuses to change a line, and to erase one of the last year; older ones are erased with
age (CNIL 2021-122: six to twelve months).
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from peewee import Expression, ModelDelete

from kiosque.db import require_write, write
from kiosque.db.models import Staff, StaffEvent
from kiosque.db.prepared import PreparedInsert
from kiosque.language import clock

KEPT = timedelta(days=365)


class Action(StrEnum):
    """Something that an agent did, or tried."""

    SIGNED_IN = "signed_in"
    REFUSED = "refused"
    SIGNED_OUT = "signed_out"
    RECOVERY_USED = "recovery_used"
    RECOVERY_RENEWED = "recovery_renewed"
    INVITED = "invited"
    INVITATION_TAKEN = "invitation_taken"
    SECOND_FACTOR_RESET = "second_factor_reset"
    ROLE_GIVEN = "role_given"
    ROLE_ENDED = "role_ended"
    CLOSED = "closed"
    FAMILIES_SEARCHED = "families_searched"
    FAMILY_READ = "family_read"
    SEEN_AS_FAMILY = "seen_as_family"
    FAMILY_ARCHIVED = "family_archived"
    FAMILY_BROUGHT_BACK = "family_brought_back"
    FAMILY_EXPORTED = "family_exported"
    FAMILY_ERASED = "family_erased"
    FAMILIES_MERGED = "families_merged"
    MERGE_UNDONE = "merge_undone"
    LETTER_ISSUED = "letter_issued"
    FAMILY_SHUT_OUT = "family_shut_out"
    LINK_SENT = "link_sent"
    PASSWORD_GIVEN = "password_given"  # noqa: S105  # the name of an act
    LOG_READ = "log_read"
    UPLOADED = "uploaded"
    UPLOAD_READ = "upload_read"
    UPLOAD_DROPPED = "upload_dropped"
    DEBTORS_NAMED = "debtors_named"
    COLUMNS_NAMED = "columns_named"
    DEBTOR_FORGOTTEN = "debtor_forgotten"
    COLUMNS_FORGOTTEN = "columns_forgotten"
    LOAD_AGREED = "load_agreed"
    LOAD_UNDONE = "load_undone"
    STEP_DONE = "step_done"
    POINT_CONCLUDED = "point_concluded"
    MAIL_RETRIED = "mail_retried"
    SETTINGS_CHANGED = "settings_changed"
    PAYMENT_TRIED = "payment_tried"
    BANK_CLOSED = "bank_closed"
    BANK_OPENED = "bank_opened"
    REQUEST_ACCEPTED = "request_accepted"
    REQUEST_REFUSED = "request_refused"
    INVOICE_READ = "invoice_read"
    PAYMENT_READ = "payment_read"
    RECEIPT_SENT = "receipt_sent"
    NOTICE_SENT = "notice_sent"
    INVOICE_CANCELLED = "invoice_cancelled"
    TAKEN = "taken"
    TRANSMITTED = "transmitted"
    TAKEN_BACK = "taken_back"
    CREDIT_APPLIED = "credit_applied"
    CREDIT_TAKEN_OFF = "credit_taken_off"
    REFUND_ASKED = "refund_asked"
    REPAYMENT_NOTED = "repayment_noted"
    CHARGEBACK_NOTED = "chargeback_noted"
    OVERPAYMENT_APPLIED = "overpayment_applied"
    OVERPAYMENT_WITHDRAWN = "overpayment_withdrawn"
    REFUND_DROPPED = "refund_dropped"
    RESTORED = "restored"
    EXPORTED = "exported"
    POINT_CARRIED = "point_carried"
    MONTH_CLOSED = "month_closed"
    IMPUTATION_SET = "imputation_set"
    DEPOSIT_MADE = "deposit_made"
    DEPOSIT_ANSWERED = "deposit_answered"
    NUMBERS_RESUMED = "numbers_resumed"
    KEPT_BACK = "kept_back"
    TAKEN_UP = "taken_up"
    STATEMENT_LOADED = "statement_loaded"
    STATEMENT_UNDONE = "statement_undone"
    LINE_MATCHED = "line_matched"
    MATCH_UNDONE = "match_undone"
    BANK_ASKED = "bank_asked"


#: The French words of each.
WORDS: Mapping[Action, str] = {
    Action.SIGNED_IN: "connexion",
    Action.REFUSED: "connexion refusée",
    Action.SIGNED_OUT: "déconnexion",
    Action.RECOVERY_USED: "code de secours utilisé",
    Action.RECOVERY_RENEWED: "nouveaux codes de secours",
    Action.INVITED: "lien de connexion envoyé",
    Action.INVITATION_TAKEN: "mot de passe choisi par le lien",
    Action.SECOND_FACTOR_RESET: "téléphone dissocié",
    Action.ROLE_GIVEN: "rôle donné",
    Action.ROLE_ENDED: "rôle retiré",
    Action.CLOSED: "accès fermé",
    Action.FAMILIES_SEARCHED: "recherche de familles",
    Action.FAMILY_READ: "fiche de famille lue",
    Action.SEEN_AS_FAMILY: "page de famille vue comme elle",
    Action.FAMILY_ARCHIVED: "famille archivée",
    Action.FAMILY_BROUGHT_BACK: "famille rétablie",
    Action.FAMILY_EXPORTED: "données d’une famille remises",
    Action.FAMILY_ERASED: "famille effacée à sa demande",
    Action.FAMILIES_MERGED: "familles fusionnées",
    Action.MERGE_UNDONE: "fusion de familles annulée",
    Action.LETTER_ISSUED: "lettre d’activation faite",
    Action.FAMILY_SHUT_OUT: "adresse choisie en ligne oubliée, accès fermé, lettre faite",
    Action.LINK_SENT: "lien envoyé à une famille",
    Action.PASSWORD_GIVEN: "mot de passe provisoire donné",
    Action.LOG_READ: "journal des actions lu",
    Action.UPLOADED: "fichier déposé",
    Action.UPLOAD_READ: "fichier déposé, lu avant d’être chargé",
    Action.UPLOAD_DROPPED: "fichier déposé, retiré",
    Action.DEBTORS_NAMED: "débiteurs d’un fichier, familles dites",
    Action.COLUMNS_NAMED: "colonnes d’un fichier, dites",
    Action.DEBTOR_FORGOTTEN: "débiteur d’un fichier, oublié",
    Action.COLUMNS_FORGOTTEN: "colonnes d’un fichier, oubliées",
    Action.LOAD_AGREED: "chargement confirmé",
    Action.LOAD_UNDONE: "chargement annulé",
    Action.STEP_DONE: "point à traiter, fait",
    Action.POINT_CONCLUDED: "point à traiter, conclu",
    Action.MAIL_RETRIED: "courriel renvoyé",
    Action.SETTINGS_CHANGED: "réglages changés",
    Action.PAYMENT_TRIED: "paiement de 1 € essayé",
    Action.BANK_CLOSED: "paiement en ligne suspendu",
    Action.BANK_OPENED: "paiement en ligne rouvert",
    Action.REQUEST_ACCEPTED: "demande d’une famille acceptée",
    Action.REQUEST_REFUSED: "demande d’une famille refusée",
    Action.INVOICE_READ: "facture lue",
    Action.PAYMENT_READ: "encaissement lu",
    Action.RECEIPT_SENT: "reçu envoyé de nouveau",
    Action.NOTICE_SENT: "courriel d’une facture envoyé de nouveau",
    Action.INVOICE_CANCELLED: "facture annulée",
    Action.TAKEN: "encaissement au guichet noté",
    Action.TRANSMITTED: "facture transmise au Trésor public",
    Action.TAKEN_BACK: "facture reprise du Trésor public",
    Action.CREDIT_APPLIED: "avoir affecté",
    Action.CREDIT_TAKEN_OFF: "avoir repris d’une facture",
    Action.REFUND_ASKED: "remboursement demandé à la banque",
    Action.REPAYMENT_NOTED: "argent rendu noté",
    Action.CHARGEBACK_NOTED: "impayé noté",
    Action.OVERPAYMENT_APPLIED: "trop-perçu affecté",
    Action.OVERPAYMENT_WITHDRAWN: "trop-perçu repris d’une facture",
    Action.REFUND_DROPPED: "remboursement abandonné",
    Action.RESTORED: "argent rétabli",
    Action.EXPORTED: "export",
    Action.POINT_CARRIED: "point reporté à la clôture",
    Action.MONTH_CLOSED: "mois arrêté",
    Action.IMPUTATION_SET: "imputation d’une prestation, dite",
    Action.DEPOSIT_MADE: "bordereau de versement rendu définitif",
    Action.DEPOSIT_ANSWERED: "accusé de réception du comptable noté",
    Action.NUMBERS_RESUMED: "dernier bordereau donné avant une restauration, dit",
    Action.KEPT_BACK: "encaissement gardé hors du bordereau",
    Action.TAKEN_UP: "encaissement repris au bordereau",
    Action.STATEMENT_LOADED: "fichier de la banque chargé",
    Action.STATEMENT_UNDONE: "fichier de la banque annulé",
    Action.LINE_MATCHED: "mouvement du compte expliqué",
    Action.MATCH_UNDONE: "rapprochement annulé",
    Action.BANK_ASKED: "banque interrogée sur un paiement",
}


class Actor(NamedTuple):
    """The author of an act: an agent, None for a command or somebody unknown; and the network
    address of the browser."""

    staff: Staff | None
    network: str = ""


#: Somebody at a terminal of the town's machine.
TERMINAL = Actor(None)


def note(action: Action, by: Actor, about: str = "", reason: str = "") -> None:
    """Write a line in a transaction of its own."""
    with write():
        add(action, by, about, reason)


def add(action: Action, by: Actor, about: str = "", reason: str = "") -> None:
    """Write a line as part of the transaction under way, whose change it tells. `about` is what it
    was done to: an agent's address, a *code famille*."""
    require_write()
    _LINE.add(
        StaffEvent(
            at=clock.now(),
            staff=by.staff,
            network=by.network,
            action=action,
            object=about,
            reason=reason,
        )
    )


_LINE = PreparedInsert(StaffEvent)


def past() -> Expression:
    """Select the lines older than KEPT."""
    return StaffEvent.at <= clock.now() - KEPT


def purge() -> None:
    """Erase the lines older than KEPT."""
    with write():
        ModelDelete(StaffEvent).where(past()).execute()
