"""The most that a request may carry. `gateways.notification` bounds its fields."""

#: For a family's form and a bank's notification, in bytes; neither comes near.
MAX_REQUEST_BYTES = 64 * 1024
#: For the form with a logo; nginx takes no more.
MAX_LOGO_BYTES = 120 * 1024
#: For the files that an agent deposits, an archive of PDFs among them, and what the form adds. The
#: limits of each file are in `invoices.uploads.storing`.
MAX_DEPOSIT_BYTES = 221 * 1024 * 1024
