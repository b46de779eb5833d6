"""The tables, as Peewee reads them, one file a subject. Their constraints are in `migrations/`."""

from kiosque.db.models.base import BaseModel, NumberedModel
from kiosque.db.models.deployment import Deployment, ReceiptGap, Restoration
from kiosque.db.models.families import (
    Account,
    Child,
    Enrolment,
    Family,
    Guardian,
    ResetRequest,
    SecurityEvent,
    Service,
    Session,
    Throttle,
    Token,
    known_child,
)
from kiosque.db.models.invoices import ImportBatch, ImportChange, Invoice, InvoiceLine
from kiosque.db.models.leases import Lease
from kiosque.db.models.mails import FamilyNotice, FamilyNoticeItem, OutboxMail
from kiosque.db.models.payments import (
    Allocation,
    Anomaly,
    Attempt,
    AttemptItem,
    BankClosure,
    BankMessage,
    Fact,
    JournalEntry,
    MessageCount,
    Receipt,
    Repayment,
    Settlement,
)
from kiosque.db.models.privacy import PrivacyAct
from kiosque.db.models.requests import FamilyRequest
from kiosque.db.models.staff import (
    RecoveryCode,
    Staff,
    StaffEvent,
    StaffInvitation,
    StaffRole,
    StaffSession,
)

__all__ = [
    "Account",
    "Allocation",
    "Anomaly",
    "Attempt",
    "AttemptItem",
    "BankClosure",
    "BankMessage",
    "BaseModel",
    "Child",
    "Deployment",
    "Enrolment",
    "Fact",
    "Family",
    "FamilyNotice",
    "FamilyNoticeItem",
    "FamilyRequest",
    "Guardian",
    "ImportBatch",
    "ImportChange",
    "Invoice",
    "InvoiceLine",
    "JournalEntry",
    "Lease",
    "MessageCount",
    "NumberedModel",
    "OutboxMail",
    "PrivacyAct",
    "Receipt",
    "ReceiptGap",
    "RecoveryCode",
    "Repayment",
    "ResetRequest",
    "Restoration",
    "SecurityEvent",
    "Service",
    "Session",
    "Settlement",
    "Staff",
    "StaffEvent",
    "StaffInvitation",
    "StaffRole",
    "StaffSession",
    "Throttle",
    "Token",
    "known_child",
]
