"""Keep which lines a statement holds for a day that it covers only in part, when another file had
brought some of them; until now, only the file that first brought a line was known.

Frozen: later changes are later files.
"""

STATEMENTS = """
CREATE TABLE told_line (
    id INTEGER PRIMARY KEY,
    statement_id INTEGER NOT NULL REFERENCES statement (id),
    line_id INTEGER NOT NULL REFERENCES statement_line (id),
    UNIQUE (statement_id, line_id)
) STRICT;
CREATE INDEX told_line_line ON told_line (line_id)
"""


def up(migrator, db):
    for statement in STATEMENTS.split(";"):
        db.execute_sql(statement)
