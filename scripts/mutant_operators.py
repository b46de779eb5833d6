"""The faults put into the core: mutmut's, but for the wording of sentences, and ours."""

import re
from collections.abc import Iterable

import libcst as cst
from mutmut.mutation import file_mutation, mutators

#: A word of the program: a key, a kind, a field's name. A text with a space is a sentence.
_WORD = re.compile(r"""(['"])[A-Za-z0-9_:.-]*\1""", re.ASCII)


def other_word(node: cst.BaseString) -> Iterable[cst.BaseString]:
    if isinstance(node, cst.SimpleString) and _WORD.fullmatch(node.value):
        quote = node.value[0]
        yield node.with_changes(value=f"{quote}XX{node.value[1:-1]}XX{quote}")


def no_statement(node: cst.Expr | cst.Raise) -> Iterable[cst.Pass]:
    if not (isinstance(node, cst.Expr) and isinstance(node.value, cst.BaseString)):
        yield cst.Pass()


def no_result(node: cst.Return) -> Iterable[cst.Return]:
    if node.value and not node.value.deep_equals(cst.Name("None")):
        yield node.with_changes(value=cst.Name("None"))


def other_way(node: cst.If | cst.CompIf) -> Iterable[cst.CSTNode]:
    """Make a condition always true, then always false."""
    for answer in ("True", "False"):
        yield node.with_changes(test=cst.Name(answer))


def choose_operators() -> None:
    kept = [pair for pair in mutators.mutation_operators if pair[1] is not mutators.operator_string]
    file_mutation.mutation_operators = [
        *kept,
        (cst.SimpleString, other_word),
        (cst.Expr, no_statement),
        (cst.Raise, no_statement),
        (cst.Return, no_result),
        (cst.If, other_way),
        (cst.CompIf, other_way),
    ]
