"""Store who said each fact, and that a debit was of another amount, as machine words.

Frozen: later changes are later files.
"""

STATEMENTS = """
DROP TRIGGER fact_no_update;
DROP TRIGGER fact_no_delete;
UPDATE fact SET source = CASE source
        WHEN 'portail' THEN 'portal'
        WHEN 'banque interrogée' THEN 'bank_asked'
        WHEN 'délai dépassé' THEN 'timeout'
        WHEN 'régisseur' THEN 'regisseur'
        WHEN 'banque injoignable' THEN 'bank_unreachable'
        WHEN 'adresse refusée' THEN 'email_refused'
        ELSE 'bank' END;
UPDATE fact SET status = replace(status, ' montant inattendu', ' unexpected amount')
    WHERE state = 'pending' AND status LIKE '% montant inattendu'
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
    for action in ("UPDATE", "DELETE"):
        db.execute_sql(
            f"CREATE TRIGGER fact_no_{action.lower()} BEFORE {action} ON fact "
            "BEGIN SELECT RAISE(ABORT, 'fact is append-only'); END"
        )
