"""The French words of the machine values that the régisseur reads; each table has every value."""

from collections.abc import Mapping

from kiosque.db.states import (
    AnomalyKind,
    AttemptState,
    CounterMode,
    FactSource,
    InvoiceState,
    RepaymentKind,
    RepaymentState,
    Verdict,
)
from kiosque.payments.cited_commands import Way

#: How the counter is paid.
COUNTER_MODES: Mapping[CounterMode, str] = {
    CounterMode.CASH: "espèces",
    CounterMode.CHEQUE: "chèque",
    CounterMode.CESU: "CESU",
    CounterMode.CARD: "carte",
    CounterMode.TRANSFER: "virement",
    CounterMode.DIRECT_DEBIT: "prélèvement",
    CounterMode.TREASURY: "Trésor public",
}
#: Decisions about a bank's message.
VERDICTS: Mapping[Verdict, str] = {
    Verdict.RECORDED: "enregistré",
    Verdict.KNOWN: "déjà connu",
    Verdict.TO_CONFIRM: "à confirmer par la banque",
    Verdict.UNKNOWN_ORDER: "commande inconnue",
    Verdict.MISMATCH: "à vérifier",
    Verdict.UNMATCHED_REFUND: "remboursement à rapprocher",
    Verdict.REJECTED: "refusé",
}
#: Who said a fact about a payment.
FACT_SOURCES: Mapping[FactSource, str] = {
    FactSource.PORTAL: "portail",
    FactSource.BANK: "banque",
    FactSource.BANK_ASKED: "banque interrogée",
    FactSource.BANK_UNREACHABLE: "banque injoignable",
    FactSource.EMAIL_REFUSED: "adresse refusée",
    FactSource.TIMEOUT: "délai dépassé",
    FactSource.REGISSEUR: "régisseur",
    FactSource.FAMILY: "famille",
}
#: Facts of a payment.
ATTEMPT_STATES: Mapping[AttemptState, str] = {
    AttemptState.CREATED: "préparé",
    AttemptState.HANDED_OFF: "famille envoyée à la banque",
    AttemptState.PENDING: "à l’examen",
    AttemptState.PAID: "débit",
    AttemptState.REFUSED: "refusé",
    AttemptState.CANCELLED: "abandonné",
    AttemptState.EXPIRED: "sans suite",
    AttemptState.REVERSED: "débit annulé",
    AttemptState.REFUNDED: "remboursement",
}
#: How money left again.
REPAYMENT_KINDS: Mapping[RepaymentKind, str] = {
    RepaymentKind.REFUND: "remboursement",
    RepaymentKind.REVERSAL: "annulation du débit",
    RepaymentKind.CHARGEBACK: "impayé",
}
#: Ends of a request for money back.
REPAYMENT_STATES: Mapping[RepaymentState, str] = {
    RepaymentState.ASKED: "sans réponse de la banque",
    RepaymentState.DONE: "fait",
    RepaymentState.DECLINED: "non abouti",
}
#: States of an invoice.
INVOICE_STATES: Mapping[InvoiceState, str] = {
    InvoiceState.OPEN: "à régler",
    InvoiceState.TRANSMITTED: "transmise au Trésor public",
    InvoiceState.PAID: "déjà payée",
    InvoiceState.CANCELLED: "annulée",
    InvoiceState.NOTHING_DUE: "rien n’est dû",
}
#: Advice about each kind of anomaly.
ADVICE: Mapping[AnomalyKind, str] = {
    AnomalyKind.OVERPAYMENT: ("Trop-perçu : rendez-le, ou convenez d’un emploi avec la famille."),
    AnomalyKind.MISMATCH: "Comparez avec le back office de la banque, puis corrigez ou remboursez.",
    AnomalyKind.UNKNOWN_ORDER: (
        "Cherchez cette commande à la banque : si elle a l’argent, entrez-le, même sans savoir de "
        "quelle famille."
    ),
    AnomalyKind.REVERSED: "La facture est de nouveau à régler : dites-le à la famille.",
    AnomalyKind.REFUNDED: "La facture est de nouveau à régler : annulez-la si rien n’est plus dû.",
    AnomalyKind.PARTIAL_REFUND: "La facture reste payée : gardez la raison de ce remboursement.",
    AnomalyKind.UNMATCHED_REFUND: (
        "Aucun débit connu ne correspond : voyez à la banque lequel elle a rendu, puis notez-le "
        "sur lui, ou entrez-le s’il manque."
    ),
    AnomalyKind.GUESSED_REFUND: (
        "Voyez à la banque quel débit elle a rendu : si c’est un autre, rétablissez celui-ci, et "
        "notez le remboursement sur l’autre."
    ),
    AnomalyKind.GIVEN_TWICE: (
        "Cette somme a été rendue, et la banque n’a rien débité : demandez-la à la famille."
    ),
    AnomalyKind.UNCAPTURED: "L’argent n’est pas arrivé : voyez avec la banque pourquoi.",
    AnomalyKind.UNSETTLED: (
        "La banque ne conclut pas : demandez-lui, puis libérez les factures si rien n’est dû."
    ),
    AnomalyKind.SILENT: (
        "Voyez à la banque ce qu’est devenu ce paiement ; sans débit, libérez les factures."
    ),
    AnomalyKind.UNSERVED: (
        "Faites-la remettre au fichier de réglages, tant que des paiements l’attendent "
        f"({Way.GATEWAYS})."
    ),
    AnomalyKind.DECLINED: (
        "La banque n’a pas remboursé : voyez pourquoi, rendez autrement, puis notez-le."
    ),
    AnomalyKind.UNANSWERED_REFUND: (
        "Voyez à la banque si l’argent est rendu ; s’il ne l’est pas, abandonnez la demande, puis "
        "rendez autrement."
    ),
    AnomalyKind.RESTORED: (
        "Comparez le relevé de la banque avec le site : entrez chaque débit qui manque, notez "
        "chaque remboursement qui manque, puis concluez ; d’ici là les familles sont averties et "
        "n’ont ni rappel ni relance."
    ),
    AnomalyKind.GAP: (
        "Cherchez ce que la banque et les livres n’ont pas en commun (« Mois », « Banque »), et "
        "écrivez aujourd’hui ce qui manque ; puis concluez, en disant ce que c’était."
    ),
}
