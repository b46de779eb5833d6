"""Pages' templates, made ready once a language: what does not change from one page to the next is
worked out when the template is compiled.

A text between `_(` and `)` or `{% trans %}`, and an address between `url_for(` and `)`, are known
as soon as the language is: only what stands in them is put in by each page. The site lies at the
root of its name (`checks`), so that an address does not depend on the request.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any
from urllib.parse import quote

from flask.templating import Environment
from jinja2 import Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined]  # its own quick door
from werkzeug.routing import Map

from kiosque.language import catalogue

#: `%(name)s` or `%(name)d` of a text, and `%%`, as gettext's own formatting reads them.
_PLACE = re.compile(r"%(?:\((\w+)\)[sd]|(%))")
#: `<path:name>` of an address.
_PART = re.compile(r"<(?:\w+:)?(\w+)>")
#: What werkzeug leaves as it is in an address.
_PLAIN = "!$&'()*+,/:;=@"
_NEEDS_NO_QUOTES = re.compile(r"[A-Za-z0-9_.~/-]*", re.ASCII).fullmatch
#: Filters that change nothing in French.
_SAME_IN_FRENCH = ("french", "period", "translated")
#: A name that no template uses.
_BLOCK = "whole_block_"


class _Writer(CodeGenerator):
    def visit_Call(  # noqa: N802  # Jinja's own name
        self, node: nodes.Call, frame: Frame, forward_caller: bool = False
    ) -> None:
        """Call `language()` and the like as Python does. Jinja goes through a function that finds
        out each time what else to pass; to these, nothing."""
        given = node.args or node.kwargs or node.dyn_args or node.dyn_kwargs or forward_caller
        if given or not isinstance(node.node, nodes.Name):
            super().visit_Call(node, frame, forward_caller=forward_caller)
        else:
            self.visit(node.node, frame)
            self.write("()")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        """Write what a page outputs through `escaped`, in the place of a slower `escape`."""
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.escaped(")


class Pages(Environment):
    """Flask's templates, compiled apart for each language."""

    code_generator_class = _Writer

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.filters["in_address"] = _in_address
        # What a page reads of a thing is there: a misspelt name is an error, not nothing. And no
        # function of Jinja's stands between, some two hundred times a page.
        self.getattr = getattr  # type: ignore[method-assign,assignment]
        self.cache = None  # it knows one language
        #: What is the same for every page of a language, by the name that templates give it.
        self.constants: dict[str, object] = {}
        self._loaded: dict[tuple[str, str], Template] = {}

    def make_globals(self, d: Mapping[str, Any] | None) -> Any:
        """Globals as one dictionary: Jinja would chain two, and go through them in Python."""
        return {**self.globals, **d} if d else self.globals

    @staticmethod
    def escaped(value: object) -> str:
        """What a page writes for a value: nearly always a text, which needs not be marked as HTML
        on its way out, or HTML already."""
        if type(value) is str:
            written: str = _escape_inner(value)
            return written
        return value if type(value) is Markup else escape(value)

    def _load_template(self, name: str, globals: Any) -> Template:  # noqa: A002  # Jinja's own name
        key = (catalogue.language(), name)
        found = self._loaded.get(key)
        if found is None or (self.auto_reload and not found.is_up_to_date):
            self._loaded[key] = found = super()._load_template(name, globals)
        return found

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        escapes = self.autoescape(name) if callable(self.autoescape) else self.autoescape
        if escapes:
            _Fold(self.app.url_map, self.constants).visit(tree)
        return tree


class _Fold(NodeTransformer):
    """Puts texts of the language in force, addresses and constants in the place of calls."""

    def __init__(self, addresses: Map, constants: Mapping[str, object]) -> None:
        self._addresses = addresses
        self._constants = constants

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Expr:  # noqa: N802
        """`town.name`: a constant's own text."""
        self.generic_visit(node)
        if isinstance(node.node, nodes.Name) and node.node.name in self._constants:
            found = getattr(self._constants[node.node.name], node.attr)
            return nodes.Const(found) if isinstance(found, str) else node
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Expr:  # noqa: N802
        """In French, what the town wrote and the texts of the sources are written as they are."""
        self.generic_visit(node)
        same = node.name in _SAME_IN_FRENCH and catalogue.is_source()
        return node.node if same and node.node else node

    def visit_Output(  # noqa: N802  # Jinja's own name
        self, node: nodes.Output
    ) -> list[nodes.Stmt]:
        """The parts of a text need no joining here: each is written after the other; of two,
        the one chosen."""
        self.generic_visit(node)
        parts: list[nodes.Expr] = []
        for child in node.nodes:
            parts += child.nodes if isinstance(child, nodes.Concat) else [child]
        return _chosen_apart(parts)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        return _joined(node.nodes)

    def visit_Block(self, node: nodes.Block) -> nodes.Block:  # noqa: N802
        """Put a block together at once: else each of its parts goes up alone, through the
        generators of every template that the page extends."""
        self.generic_visit(node)
        whole = nodes.AssignBlock(nodes.Name(_BLOCK, "store"), None, node.body)
        node.body = [whole, nodes.Output([nodes.Name(_BLOCK, "load")])]
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        called, arguments = node.node, node.args
        if not isinstance(called, nodes.Name) or node.dyn_args or node.dyn_kwargs:
            return node
        if called.name == "ngettext" and catalogue.is_source():
            return _french_plural(node)
        if len(arguments) != 1 or not isinstance(arguments[0], nodes.Const):
            return node
        values = {pair.key: pair.value for pair in node.kwargs}
        if called.name in ("_", "gettext"):
            return _text(arguments[0].value, values)
        if called.name == "url_for":
            return self._address(arguments[0].value, values) or node
        return node

    def _address(self, endpoint: str, values: Mapping[str, nodes.Expr]) -> nodes.Expr | None:
        """An address of ours in its parts; None when it has more values than its rule: a query."""
        rule, *others = self._addresses.iter_rules(endpoint)
        if others or rule.arguments != set(values):
            return None
        pieces = _PART.split(rule.rule)
        parts: list[nodes.Expr] = []
        for plain, name in zip_longest(pieces[::2], pieces[1::2]):
            parts.append(_plain(plain))
            if name:
                parts.append(nodes.Filter(values[name], "in_address", [], [], None, None))
        return _joined(parts)


def _in_address(value: object) -> str:
    text = str(value)
    return text if _NEEDS_NO_QUOTES(text) else quote(text, safe=_PLAIN)


def _text(message: str, values: Mapping[str, nodes.Expr]) -> nodes.Expr:
    """A text in its parts: those of the language in force are HTML, values are escaped."""
    translated = catalogue.gettext(message)
    parts: list[nodes.Expr] = []
    end = 0
    for place in _PLACE.finditer(translated):
        parts.append(_plain(translated[end : place.start()]))
        parts.append(values[place[1]] if place[1] else _plain("%"))
        end = place.end()
    return _joined([*parts, _plain(translated[end:])])


def _french_plural(node: nodes.Call) -> nodes.Expr:
    """`ngettext` by the one rule of French: two is plural."""
    one, many, count = node.args
    if not isinstance(one, nodes.Const) or not isinstance(many, nodes.Const):
        return node
    values = {"num": count} | {pair.key: pair.value for pair in node.kwargs}
    few = nodes.Compare(count, [nodes.Operand("lt", nodes.Const(2))])
    return nodes.CondExpr(few, _text(one.value, values), _text(many.value, values))


def _chosen_apart(parts: Sequence[nodes.Expr]) -> list[nodes.Stmt]:
    """What is written, each `one if test else other` as a choice between two things to write."""
    written: list[nodes.Stmt] = []
    plain: list[nodes.Expr] = []
    for part in parts:
        if not isinstance(part, nodes.CondExpr):
            plain.append(part)
            continue
        one, other = (
            nodes.Output(text.nodes if isinstance(text, nodes.Concat) else [text])
            for text in (part.expr1, part.expr2 or _plain(""))
        )
        written += [nodes.Output(plain), nodes.If(part.test, [one], [], [other])]
        plain = []
    return [*written, nodes.Output(plain)]


def _plain(text: str) -> nodes.Expr:
    return nodes.MarkSafe(nodes.Const(text))


def _joined(parts: Sequence[nodes.Expr]) -> nodes.Expr:
    """Parts one after the other. Jinja, which would join those that are all constants by itself,
    would take the whole for plain text."""
    if len(parts) == 1:
        return parts[0]
    if any(isinstance(part, nodes.MarkSafe) for part in parts):
        constants = [_constant(part) for part in parts]
        if None not in constants:
            return _plain("".join(map(str, constants)))
    return nodes.Concat(list(parts))


def _constant(part: nodes.Expr) -> str | None:
    """What is always written for this part; None when it depends."""
    if isinstance(part, nodes.MarkSafe) and isinstance(part.expr, nodes.Const):
        return str(part.expr.value)
    return str(escape(part.value)) if isinstance(part, nodes.Const) else None
