"""A lint for text that is read as markup: all of it is our own, or was made safe.

Text is safe when it is written in the code, comes from a function that makes it so, or has the type
for such text in the signature or the record that it comes through; then each caller, each maker of
the record and each ``return`` is looked at in turn.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.text_flow import (
    called,
    is_numeric,
    made_of,
    names_in,
    parameters,
    put_into,
    root,
    typed,
    without,
)

# Functions and methods that give safe text of safe text.
KEEPERS = frozenset({"list", "tuple", "sorted", "reversed", "zip"})
KEEPING = frozenset({"strip", "items", "values"})

# Innermost first; the last one is the module.
Scopes = tuple[ast.AST, ...]


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
        The parts of a node of the code that are shown.
    keepers : frozenset of str
        Functions that give safe text of safe text.
    """

    type: str
    makers: frozenset[str]
    shown: Callable[[ast.AST], Iterator[ast.expr]]
    keepers: frozenset[str] = KEEPERS


class Lint:
    """Looks through some files together.

    Parameters
    ----------
    files : dict of {name: code}
    rule : Rule
    records : dict of {name: code}
        Where other records are, which hold text that is not safe.
    """

    def __init__(
        self, files: dict[str, str], rule: Rule, records: dict[str, str] | None = None
    ) -> None:
        self.rule = rule
        self.trees = {name: ast.parse(code) for name, code in files.items()}
        self.functions = {
            name: [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
            for name, tree in self.trees.items()
        }
        self.imports = {
            name: {
                alias.name: node.module.split(".")[-1]
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom) and node.module
                for alias in node.names
            }
            for name, tree in self.trees.items()
        }
        classes = [
            node
            for tree in (*self.trees.values(), *map(ast.parse, (records or {}).values()))
            for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
        ]  # fmt: skip
        self.fields = {each.name: dict(_fields(each)) for each in classes}
        held = [pair for each in classes for pair in (*_fields(each), *_properties(each))]
        # A name that is safe in one record and not in another tells nothing.
        self.typed = {name for name, _ in held} - {
            name for name, kind in held if not self._is_typed(kind)
        }
        self.stems = {Path(name).stem: [name] for name in self.trees}
        self._file = ""
        self._open: list[str] = []

    def breaches(self) -> list[str]:
        """Return every place where something else may be shown."""
        found = []
        for name, tree in self.trees.items():
            self._file = name
            found += [f"{name}:{line}: {code}" for line, code in self._look(tree, (tree,))]
        return found

    def _look(self, node: ast.AST, scopes: Scopes) -> Iterator[tuple[int, str]]:
        for child in ast.iter_child_nodes(node):
            inner = (child, *scopes) if isinstance(child, ast.FunctionDef) else scopes
            for each in (*self.rule.shown(child), *self._handed_on(child, inner[0])):
                if not self._is_safe(each, inner):
                    yield each.lineno, ast.unparse(each)
            yield from self._look(child, inner)

    def _handed_on(self, node: ast.AST, scope: ast.AST) -> Iterator[ast.expr]:
        """Yield what a call or a ``return`` hands on as text that is safe."""
        if isinstance(node, ast.Return) and node.value and isinstance(scope, ast.FunctionDef):
            if scope.name not in self.rule.makers | self.rule.keepers:
                yield from self._typed_parts(node.value, scope.returns)
        elif isinstance(node, ast.Call):
            if called(node) == "replace":
                yield from (word.value for word in node.keywords if word.arg in self.typed)
            for wanted in self._signatures(node.func):
                given = dict(zip(wanted, node.args, strict=False))
                given |= {word.arg: word.value for word in node.keywords if word.arg in wanted}
                for name, value in given.items():
                    yield from self._typed_parts(value, wanted[name])

    def _signatures(self, function: ast.expr) -> Iterator[dict[str, ast.expr | None]]:
        for each in self._defined(function):
            yield {one.arg: one.annotation for one in parameters(each) if one.arg != "self"}
        if called(function) in self.fields:
            yield self.fields[called(function)]

    def _defined(self, function: ast.expr) -> list[ast.FunctionDef]:
        """Return what a function can mean: one of its own file, an imported one, else all."""
        name = called(function)
        source = self.imports[self._file].get(name) or root(function)
        files = [[self._file], self.stems.get(source, [])]
        for some in (*files, list(self.trees)):
            found = [each for file in some for each in self.functions[file] if each.name == name]
            if found:
                return found
        return []

    def _is_typed(self, annotation: ast.AST | None) -> bool:
        return self.rule.type in names_in(annotation)

    def _typed_parts(self, value: ast.expr, kind: ast.expr | None) -> Iterator[ast.expr]:
        """Yield the parts of a value that are safe by its type."""
        for part, own in typed(value, kind):
            makes = "Callable" in names_in(own) and called(part) in self.rule.makers
            if self._is_typed(own) and not makes:
                yield part

    def _is_safe(self, node: ast.AST, scopes: Scopes) -> bool:
        match node:
            case ast.FormattedValue(value=value, format_spec=spec):
                return is_numeric(spec) or self._is_safe(value, scopes)
            case ast.Call():
                return self._gives_safe(node, scopes)
            case ast.Attribute(attr=attr):
                return attr in self.typed or _is_constant(attr) or self._is_ours(root(node), scopes)
            case ast.Name(id=name):
                return self._holds_safe(name, scopes)
        parts = made_of(node)
        return parts is not None and all(self._is_safe(part, scopes) for part in parts)

    def _gives_safe(self, call: ast.Call, scopes: Scopes) -> bool:
        name = called(call)
        if name == "map":
            return self._makes(call.args[0], scopes)
        if name in (*self.rule.keepers, "join"):
            texts = [*call.args, *([call.func.value] if name == "join" else [])]
            return all(self._is_safe(text, scopes) for text in texts)
        if name in KEEPING and isinstance(call.func, ast.Attribute):
            return self._is_safe(call.func.value, scopes)
        if root(call.func).isupper() and isinstance(call.func, ast.Attribute):
            given = [*call.args[name == "get" :], *(word.value for word in call.keywords)]
            return all(self._is_safe(text, scopes) for text in given)
        return name == "len" or self._makes(call.func, scopes)

    def _makes(self, function: ast.expr, scopes: Scopes) -> bool:
        """Say whether a function makes text safe."""
        if isinstance(function, ast.IfExp):
            return all(self._makes(one, scopes) for one in (function.body, function.orelse))
        name = called(function)
        if name in self.rule.makers or root(function).isupper():
            return True
        defined = self._defined(function)
        if defined:
            return all(self._is_typed(each.returns) for each in defined)
        handed = [one for one in parameters(scopes[0]) if one.arg == name]
        if handed:
            return self._is_typed(handed[0].annotation)
        given = list(put_into(scopes[0], name))
        return bool(given) and all(self._makes(each, scopes) for each in given)

    def _is_ours(self, name: str, scopes: Scopes) -> bool:
        """Say whether a name holds nothing but parts of constants."""
        given = list(put_into(scopes[0], name))
        return name.isupper() or (bool(given) and all(root(each).isupper() for each in given))

    def _is_written(self, name: str, scopes: Scopes) -> bool:
        """Say whether a constant is the module's, and no other name of what is not safe."""
        *inner, module = scopes
        other = ast.Name | ast.Attribute | ast.JoinedStr
        return not any(list(put_into(scope, name)) for scope in inner) and all(
            not isinstance(given, other) or self._is_safe(given, (module,))
            for given in put_into(module, name)
        )

    def _holds_safe(self, name: str, scopes: Scopes) -> bool:
        """Say whether all that a function assigns to a name is safe, or it comes in as such."""
        if name in self._open or (name.isupper() and self._is_written(name, scopes)):
            return True
        for depth, scope in enumerate(scopes):
            given = list(put_into(scope, name))
            handed = [one for one in parameters(scope) if one.arg == name]
            if handed and not self._is_typed(handed[0].annotation):
                return False
            if handed or given:
                self._open.append(name)  # what is assigned may name it again
                safe = all(self._is_safe(without(each, name), scopes[depth:]) for each in given)
                self._open.pop()
                return safe
        return False


def _is_constant(name: str) -> bool:
    return name.isupper() and len(name) > 1  # `T` turns an array


def _fields(record: ast.ClassDef) -> Iterator[tuple[str, ast.expr | None]]:
    for part in record.body:
        if isinstance(part, ast.AnnAssign):
            yield root(part.target), part.annotation


def _properties(record: ast.ClassDef) -> Iterator[tuple[str, ast.expr | None]]:
    for part in record.body:
        if isinstance(part, ast.FunctionDef) and "property" in map(root, part.decorator_list):
            yield part.name, part.returns
