"""A lint for text that is read as markup: all of it is our own, or was made safe.

Text is safe when it is written in the code, comes from a function that makes it so, or has the type
for such text in the signature or the record that it comes through; then each caller, each maker of
the record and each ``return`` is looked at in turn.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# How a number is written; text in its place raises.
NUMERIC = tuple(",dfeg%")


@dataclass(frozen=True)
class Rule:
    """What is looked for.

    Attributes
    ----------
    type : str
        Name of the type of text that is safe.
    makers : frozenset of str
        Functions that make text safe, or give text of numbers.
    shown : callable
        The arguments of a call that are shown.
    """

    type: str
    makers: frozenset[str]
    shown: Callable[[ast.Call], Iterator[ast.expr]]


class Lint:
    """Looks through some files together.

    Parameters
    ----------
    files : dict of {name: code}
    rule : Rule
    """

    def __init__(self, files: dict[str, str], rule: Rule) -> None:
        self.rule = rule
        self.trees = {name: ast.parse(code) for name, code in files.items()}
        self.functions = {
            node.name: node
            for tree in self.trees.values()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
        }
        classes = [
            node for tree in self.trees.values() for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
        ]  # fmt: skip
        self.fields = {
            each.name: [part for part in each.body if isinstance(part, ast.AnnAssign)]
            for each in classes
        }
        self.typed = {
            _root(part.target)
            for parts in self.fields.values()
            for part in parts
            if self._is_typed(part.annotation)
        }
        self._open: list[str] = []
        self.makers = rule.makers | {
            name for name, function in self.functions.items() if self._is_typed(function.returns)
        }

    def breaches(self) -> list[str]:
        """Return every place where something else may be shown."""
        return [
            f"{name}:{line}: {code}"
            for name, tree in self.trees.items()
            for line, code in self._look(tree, tree)
        ]

    def _look(self, node: ast.AST, scope: ast.AST) -> Iterator[tuple[int, str]]:
        for child in ast.iter_child_nodes(node):
            inner = child if isinstance(child, ast.FunctionDef) else scope
            if isinstance(child, ast.FunctionDef) and child.name in self.makers - self.rule.makers:
                yield from self._unsafe(child, inner, [
                    each.value for each in ast.walk(child)
                    if isinstance(each, ast.Return) and each.value
                ])  # fmt: skip
            if isinstance(child, ast.Call):
                yield from self._unsafe(child, inner, list(self._shown(child)))
            yield from self._look(child, inner)

    def _unsafe(
        self, at: ast.AST, scope: ast.AST, shown: list[ast.expr]
    ) -> Iterator[tuple[int, str]]:
        for each in shown:
            if not self._is_safe(each, scope):
                yield each.lineno, f"{getattr(at, 'name', '')}{ast.unparse(each)}"

    def _shown(self, call: ast.Call) -> Iterator[ast.expr]:
        """Yield what a call shows, or hands on as text that is safe."""
        yield from self.rule.shown(call)
        name = called(call)
        if name in self.functions:
            arguments = self.functions[name].args
            wanted = [(one.arg, one.annotation) for one in (*arguments.args, *arguments.kwonlyargs)]
        else:
            wanted = [(_root(part.target), part.annotation) for part in self.fields.get(name, ())]
        given = dict(zip([one for one, _ in wanted], call.args, strict=False))
        given |= {word.arg: word.value for word in call.keywords if word.arg}
        yield from (given[one] for one, kind in wanted if one in given and self._is_typed(kind))

    def _is_typed(self, annotation: ast.AST | None) -> bool:
        return annotation is not None and self.rule.type in _names(annotation)

    def _is_safe(self, node: ast.AST, scope: ast.AST) -> bool:
        match node:
            case ast.Constant() | ast.Call(func=ast.Name(id="len")):
                return True
            case ast.FormattedValue(value=value, format_spec=spec):
                return _is_numeric(spec) or self._is_safe(value, scope)
            case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, op=ast.Add(), right=other):
                return all(self._is_safe(part, scope) for part in (one, other))
            case (
                ast.JoinedStr(values=parts) | ast.BoolOp(values=parts) | ast.List(elts=parts)
                | ast.Tuple(elts=parts)
            ):  # fmt: skip
                return all(self._is_safe(part, scope) for part in parts)
            case (
                ast.Starred(value=value) | ast.Subscript(value=value, slice=ast.Slice())
                | ast.ListComp(elt=value) | ast.GeneratorExp(elt=value)
            ):  # fmt: skip
                return self._is_safe(value, scope)
        if isinstance(node, ast.Call):
            return self._gives_safe(node, scope)
        typed = isinstance(node, ast.Attribute) and node.attr in self.typed
        return typed or self._holds_safe(_root(node), scope)

    def _gives_safe(self, call: ast.Call, scope: ast.AST) -> bool:
        match call.func:
            case ast.Name(id="map"):
                return ast.unparse(call.args[0]) in self.makers
            case ast.Attribute(value=text, attr="strip"):
                return self._is_safe(text, scope)
            case ast.Attribute(value=between, attr="join"):
                return self._is_safe(between, scope) and self._is_safe(call.args[0], scope)
        return called(call) in self.makers or _root(call.func).isupper()

    def _holds_safe(self, name: str, scope: ast.AST) -> bool:
        """Say whether all that a function assigns to a name is safe, or it comes in as such."""
        if name.isupper() or name in self._open:
            return True
        if isinstance(scope, ast.FunctionDef):
            for one in (*scope.args.args, *scope.args.kwonlyargs):
                if one.arg == name:
                    return self._is_typed(one.annotation)
        given = [
            each.value
            for each in ast.walk(scope)
            if isinstance(each, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr)
            and name in _names(each.targets[0] if isinstance(each, ast.Assign) else each.target)
        ]
        # Of what is safe all parts are.
        given += [
            each.iter
            for each in ast.walk(scope)
            if isinstance(each, ast.For | ast.comprehension) and name in _names(each.target)
        ]
        self._open.append(name)  # what is assigned may name it again
        safe = bool(given) and all(
            value is None or self._is_safe(_without(value, name), scope) for value in given
        )
        self._open.pop()
        return safe


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _without(value: ast.expr, name: str) -> ast.expr:
    """Return a list without ``*name``: ``said = [*said[:3], more]`` only adds to what it held."""
    if isinstance(value, ast.List):
        kept = [one for one in value.elts
                if not (isinstance(one, ast.Starred) and _root(one.value) == name)]  # fmt: skip
        return ast.List(kept, ast.Load())
    return value


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_numeric(spec: ast.AST | None) -> bool:
    constants = (
        [part.value for part in ast.walk(spec) if isinstance(part, ast.Constant)] if spec else []
    )
    return bool(constants) and str(constants[-1]).endswith(NUMERIC)
