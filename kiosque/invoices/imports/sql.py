"""The SQL that writes invoices: Peewee would handle their thousands of rows one by one."""

FAMILY = """
    INSERT INTO family (code, name, address, postcode, city, updated_on, digest)
    VALUES (?, '', '', '', '', ?, '') ON CONFLICT DO NOTHING
"""
#: Bring back a family that was forgotten or archived: it is invoiced again.
BACK = "UPDATE family SET forgotten_at = NULL, archived_at = NULL WHERE code = ?"
#: A family is found by the names of its children too.
WORDS = "UPDATE family SET words = LTRIM(words || ' ' || ?) WHERE code = ?"
SERVICE = "INSERT INTO service (name, key) VALUES (?, ?) ON CONFLICT DO NOTHING"
INVOICE = """
    INSERT INTO invoice (number, issued_on, due_on, closes_on, period, services, children,
        total_cents, pdf_name, digest, regie, state, batch_id, family_id, state_reason)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')
"""
LINE = """
    INSERT INTO invoice_line (invoice_id, child, service_id, label, quantity_hundredths,
        unit_price_cents, amount_cents)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""
CHILD = """
    INSERT INTO child (family_id, name) VALUES (?, ?)
    ON CONFLICT DO NOTHING
"""
ENROLMENT = """
    INSERT INTO enrolment (child_id, service_id)
    VALUES ((SELECT id FROM child WHERE family_id = ? AND name = ?), ?)
    ON CONFLICT DO NOTHING
"""
