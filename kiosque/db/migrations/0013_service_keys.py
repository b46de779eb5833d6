"""One service, and one child of a family, whatever the spelling of a file.

Services whose names fold alike become the first of them: invoice lines and enrolments follow it.
No amount changes, and an invoice stays with the *régie* that it was given to. Children of a family
whose names fold alike become one, unless two dates of birth tell them apart.

Frozen: later changes are later files.
"""

from kiosque.spelling import child_key, fold

_FOLLOW = """
UPDATE enrolment SET {column} = ? WHERE {column} = ? AND {other} NOT IN
    (SELECT {other} FROM enrolment WHERE {column} = ?)
"""
_FORGET = "DELETE FROM enrolment WHERE {column} = ?"


def up(migrator, db):
    db.execute_sql("ALTER TABLE service ADD COLUMN key TEXT NOT NULL DEFAULT ''")
    first = {}
    for number, name in db.execute_sql("SELECT id, name FROM service ORDER BY id").fetchall():
        key = fold(name)
        kept = first.setdefault(key, number)
        db.execute_sql("UPDATE service SET key = ? WHERE id = ?", (key, number))
        if kept != number:
            db.execute_sql(
                "UPDATE invoice_line SET service_id = ? WHERE service_id = ?", (kept, number)
            )
            _follow(db, "service_id", "child_id", number, kept)
            db.execute_sql("DELETE FROM service WHERE id = ?", (number,))
    db.execute_sql("CREATE UNIQUE INDEX service_key ON service (key)")
    _join_children(db)


def _join_children(db):
    children = {}
    for number, family, name, born_on in db.execute_sql(
        "SELECT id, family_id, name, born_on FROM child ORDER BY born_on IS NULL, id"
    ).fetchall():
        kept, kept_born_on = children.setdefault((family, child_key(name)), (number, born_on))
        if kept != number and born_on in (None, kept_born_on):
            _follow(db, "child_id", "service_id", number, kept)
            db.execute_sql("DELETE FROM child WHERE id = ?", (number,))


def _follow(db, column, other, gone, kept):
    """Give the enrolments of a row that goes to the one that stays, where it lacks them."""
    db.execute_sql(_FOLLOW.format(column=column, other=other), (kept, gone, kept))
    db.execute_sql(_FORGET.format(column=column), (gone,))
