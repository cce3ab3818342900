"""How text goes through code: what it is made of, and what a name is given."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache

# How a number is written; text in its place raises.
NUMERIC = tuple(",dfeg%")
# Methods of a list that put into it what they get.
ADDING = frozenset({"append", "extend", "insert"})


def made_of(node: ast.AST) -> list[ast.expr] | None:
    """Return what a text or a collection of texts is made of."""
    match node:
        case ast.Constant():
            return []
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, op=ast.Add(), right=other):
            return [one, other]
        case (
            ast.JoinedStr(values=parts) | ast.BoolOp(values=parts) | ast.Dict(values=parts)
            | ast.List(elts=parts) | ast.Tuple(elts=parts)
        ):  # fmt: skip
            return parts
        case (
            ast.Starred(value=part) | ast.Subscript(value=part) | ast.NamedExpr(value=part)
            | ast.ListComp(elt=part) | ast.GeneratorExp(elt=part) | ast.DictComp(value=part)
            | ast.BinOp(left=part, op=ast.Mult())
        ):  # fmt: skip
            return [part]
    return None


def put_into(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    """Yield what a function, but none inside it, puts into a name."""
    for node in _own(scope):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from _taken(target, value, name)
            case (
                ast.AnnAssign(target=target, value=ast.expr() as value)
                | ast.AugAssign(target=target, value=value)
                | ast.NamedExpr(target=target, value=value)
            ):
                yield from _taken(target, value, name)
            case ast.For(target=target, iter=each) | ast.comprehension(target=target, iter=each):
                for items in _looked_up(each, scope):
                    yield from _taken(target, ast.Starred(items), name)
            case ast.Call(args=added) if _adds(node, name):
                yield from added


def _taken(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    """Yield what a name takes of a value; a starred one is taken item by item."""
    if name not in names_in(target):
        return
    match target, value:
        case ast.Tuple(elts=names), ast.Tuple(elts=parts) if len(names) == len(parts):
            for one, part in zip(names, parts, strict=True):
                yield from _taken(one, part, name)
        case ast.Tuple(elts=names), ast.Starred(
            value=ast.Call(func=ast.Name(id="zip"), args=parts)
        ):
            for one, part in zip(names, parts, strict=True):
                yield from _taken(one, ast.Starred(part), name)
        case (
            ast.Tuple(elts=[_, one]),
            ast.Starred(value=ast.Call(func=ast.Name(id="enumerate"), args=[part, *_])),
        ):
            yield from _taken(one, ast.Starred(part), name)
        case _, ast.Starred(value=ast.ListComp(elt=part) | ast.GeneratorExp(elt=part)):
            yield from _taken(target, part, name)
        case _, ast.Starred(value=ast.Tuple(elts=parts) | ast.List(elts=parts)):
            for part in parts:
                yield from _taken(target, part, name)
        case _:
            yield value


def _looked_up(items: ast.expr, scope: ast.AST) -> list[ast.expr]:
    """Return what a loop goes through, where it is a name what that stands for."""
    match items:
        case ast.Call(func=ast.Name(id="list"), args=[inside]):
            return _looked_up(inside, scope)
        case ast.Call(func=ast.Name(id="enumerate"), args=[inside, *_]):
            return [ast.Call(items.func, [one], []) for one in _looked_up(inside, scope)]
        case ast.Name(id=name) if not any(_adds(node, name) for node in _own(scope)):
            found = [
                node.value for node in _own(scope)
                if isinstance(node, ast.Assign) and name in map(root, node.targets)
            ]  # fmt: skip
            return [each for one in found for each in _looked_up(one, scope)] or [items]
    return [items]


def _adds(node: ast.AST, name: str) -> bool:
    """Say whether something is put into a list besides what it was made of."""
    if isinstance(node, ast.AugAssign):
        return root(node.target) == name
    return isinstance(node, ast.Call) and called(node) in ADDING and root(node) == name


@cache
def _own(scope: ast.AST) -> list[ast.AST]:
    """Return what stands in a function, but in none inside it."""
    found = [scope]
    for node in found:  # which grows
        children = ast.iter_child_nodes(node)
        found += [child for child in children if not isinstance(child, ast.FunctionDef)]
    return found


def parameters(scope: ast.AST) -> list[ast.arg]:
    """Return the parameters of a function; of a module none."""
    own = getattr(scope, "args", None)
    return [*own.args, *own.kwonlyargs] if own else []


def typed(value: ast.expr, kind: ast.expr | None) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """Yield the parts of a value, each with the type of its own."""
    inner: Iterable[tuple[ast.expr, ast.expr | None]]
    match value, kind:
        case ast.IfExp(body=one, orelse=other), _:
            inner = [(one, kind), (other, kind)]
        case ast.Call(func=ast.Name(id="list"), args=[items]), _:
            inner = [(items, kind)]
        case ast.Tuple(elts=parts), ast.Subscript(slice=ast.Tuple(elts=kinds)) if len(parts) == len(
            kinds
        ):
            inner = zip(parts, kinds, strict=True)
        case ast.Call(func=ast.Name(id="zip"), args=parts), ast.Subscript(
            slice=ast.Subscript(slice=ast.Tuple(elts=kinds))
        ):
            inner = zip(parts, kinds, strict=True)
        case ast.List(elts=parts), ast.Subscript(slice=own):
            inner = [(part, own) for part in parts]
        case ((ast.ListComp(elt=part) | ast.GeneratorExp(elt=part)), ast.Subscript(slice=own)):
            inner = [(part, own)]
        case _:
            yield value, kind
            return
    for part, own in inner:
        yield from typed(part, own)


def names_in(node: ast.AST | None) -> set[str]:
    """Return all names that stand in a part of the code."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} if node else set()


def without(value: ast.expr, name: str) -> ast.expr:
    """Return a list without ``*name``: ``said = [*said[:3], more]`` only adds to what it held."""
    if isinstance(value, ast.List):
        kept = [one for one in value.elts
                if not (isinstance(one, ast.Starred) and root(one.value) == name)]  # fmt: skip
        return ast.List(kept, ast.Load())
    return value


def called(node: ast.AST) -> str:
    """Return the last name of a function, or of that which a call calls."""
    function = node.func if isinstance(node, ast.Call) else node
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def root(node: ast.AST) -> str:
    """Return the name that a part of something begins with: ``KINDS`` of ``KINDS[a].label``."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def is_numeric(spec: ast.AST | None) -> bool:
    """Say whether a format specification is one of numbers."""
    constants = (
        [part.value for part in ast.walk(spec) if isinstance(part, ast.Constant)] if spec else []
    )
    return bool(constants) and str(constants[-1]).endswith(NUMERIC)
