"""A payment is refunded once the site has taken its debit out of the books: that a bank announces a
refund decides nothing any more. Recompute the states that only such an announcement had decided.

Frozen: later changes are later files.
"""

STATEMENTS = """
DROP TRIGGER fact_no_update;
DROP TRIGGER fact_no_delete;
UPDATE fact SET source = 'portal' WHERE state = 'refunded' AND status LIKE 'refunded by %'
"""
# States by increasing weight: within one transaction, then between the transactions of an attempt.
WITHIN = ("created", "handed_off", "pending", "expired", "cancelled", "refused", "paid", "reversed",
          "refunded")  # fmt: skip
BETWEEN = ("created", "handed_off", "expired", "cancelled", "refused", "reversed", "refunded",
           "pending", "paid")  # fmt: skip


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
    for action in ("UPDATE", "DELETE"):
        db.execute_sql(
            f"CREATE TRIGGER fact_no_{action.lower()} BEFORE {action} ON fact "
            "BEGIN SELECT RAISE(ABORT, 'fact is append-only'); END"
        )
    last = {}
    for attempt, transaction, state in db.execute_sql(
        "SELECT attempt_id, transaction_id, fact.state "
        "FROM fact JOIN attempt ON attempt.id = attempt_id "
        "WHERE attempt.state = 'refunded' AND (fact.state <> 'refunded' OR source = 'portal')"
    ).fetchall():
        states = last.setdefault(attempt, {})
        states[transaction] = max(states.get(transaction, state), state, key=WITHIN.index)
    for attempt, states in last.items():
        state = max(states.values(), key=BETWEEN.index)
        db.execute_sql("UPDATE attempt SET state = ? WHERE id = ?", (state, attempt))
