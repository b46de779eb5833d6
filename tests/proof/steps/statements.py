"""Steps of the bank's statements, and of a person who says what their lines are."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from kiosque.db.statement_words import MatchKind
from tests.proof import bank_statements
from tests.proof.accounts import KINDS
from tests.proof.stage import GATEWAYS
from tests.proof.steps.common import Steps, pick

HOWS = ("once", "twice", "overlap", "split", "backwards", "other words")
#: More tell no more, and each is compared whole after each step.
_MOST_FILES = 4
regies = st.sampled_from(sorted(GATEWAYS))


#: What moves: by payment, by day, and what is not of the kiosk's.
_ONE, _DAY, _ANY = ([at for at, kind in enumerate(KINDS) if kind in some] for some in (
    ("ours", "bank's", "cent off"), ("day", "remittance", "fee"), KINDS))  # fmt: skip


def _moves(places: list[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.builds(_place, st.sampled_from(places), pick), min_size=1, max_size=6)


def _place(kind: int, which: int) -> int:
    return kind + len(KINDS) * which


class StatementSteps(Steps):
    @precondition(lambda self: self.books.owners)
    @rule(regie=regies, what=_moves(_ONE), how=st.sampled_from(HOWS), which=pick)
    def the_bank_tells_of_payments(self, regie: str, what: list[int], how: str, which: int) -> None:
        self._send(regie, what, how, which)

    @precondition(lambda self: self.books.owners)
    @rule(regie=regies, what=_moves(_DAY), how=st.sampled_from(HOWS), which=pick)
    def the_bank_tells_of_days(self, regie: str, what: list[int], how: str, which: int) -> None:
        self._send(regie, what, how, which)

    @rule(regie=regies, what=_moves(_ANY), how=st.sampled_from(HOWS), which=pick)
    def the_bank_sends_a_statement(self, regie: str, what: list[int], how: str, which: int) -> None:
        self._send(regie, what, how, which)

    def _send(self, regie: str, what: list[int], how: str, which: int) -> None:
        if self.accounts[regie].files < _MOST_FILES:
            bank_statements.send(self, regie, what, how, which)

    @precondition(lambda self: any(it.lines for it in self.accounts.values()))
    @rule(regie=regies, what=st.sampled_from(["match", "fee", "other", "confirm"]), which=pick)
    def a_line_is_explained(self, regie: str, what: str, which: int) -> None:
        if what == "match":
            bank_statements.match(self, regie)
        elif what == "confirm":
            bank_statements.confirm(self, regie, which)
        else:
            bank_statements.say(self, regie, which, MatchKind(what))

    @precondition(lambda self: any(it.lines for it in self.accounts.values()))
    @rule(regie=regies, which=pick, again=st.booleans())
    def a_match_is_undone(self, regie: str, which: int, *, again: bool) -> None:
        bank_statements.undo(self, regie, which)
        if again:
            bank_statements.confirm(self, regie, which)
