"""The most that a request may carry. `gateways.notification` bounds its fields."""

#: Of a form of a family's and of a bank's notification, in bytes; neither comes near.
MAX_REQUEST_BYTES = 64 * 1024
#: Of the form with a logo; nginx takes no more.
MAX_LOGO_BYTES = 120 * 1024
#: Of the files that an agent deposits, an archive of PDFs among them, with what a form adds; what
#: each may be is in `invoices.uploads.storing`.
MAX_DEPOSIT_BYTES = 221 * 1024 * 1024
