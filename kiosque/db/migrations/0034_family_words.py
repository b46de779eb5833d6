"""The names of each household, folded, by which it is found whatever the accents: those of the
family, of its parents and of its children.

Frozen: later changes are later files.
"""

from kiosque.spelling import fold_words

NAMES = (
    "SELECT id, name FROM family",
    "SELECT family_id, first_name || ' ' || last_name FROM guardian ORDER BY id",
    "SELECT family_id, name FROM child ORDER BY id",
)


def up(migrator, db):
    db.execute_sql("ALTER TABLE family ADD COLUMN words TEXT NOT NULL DEFAULT ''")
    words = {}
    for names in NAMES:
        for family, name in db.execute_sql(names).fetchall():
            words.setdefault(family, []).append(fold_words(name))
    for family, folded in words.items():
        db.execute_sql(
            "UPDATE family SET words = ? WHERE id = ?", (" ".join(filter(None, folded)), family)
        )
