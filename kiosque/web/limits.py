"""The most that a request may carry.

The most fields of a bank's notification is `gateways.reading.MAX_FIELDS`: its gateway, which reads
it, counts them.
"""

#: Of a form of a family's and of a bank's notification, in bytes; neither comes near.
MAX_REQUEST_BYTES = 64 * 1024
