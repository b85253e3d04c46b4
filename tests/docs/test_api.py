"""docs/api.md has every error code, every path, every header and every metric that the code has."""

import ast
import re
from collections.abc import Iterator

from serai.api import header
from serai.api.code import CODES
from serai.api.completion.wire import ChatRequest
from tests.docs.page import ROOT, quoted, read, rows

TEXT = read("api.md")
SOURCE = ROOT / "src" / "serai"

_PLACES = {"ApiError": 1, "invalid": 2, "TurnFault": 2, "_failed": 2, "failed": 2, "not_found": 0}
"""Calls that take an error's code, and which argument it is."""


INNER = {"refused", "", "job_failed"}
"""What stands for a code where a class or a default has none of its own; and what no call answers: how the turn of a
job ended is told by its history."""


def codes() -> set[str]:
    """Every code that an error of the API may have, read from the source."""
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in SOURCE.rglob("*.py"))
    return {code for tree in trees for node in ast.walk(tree) for code in _codes(node)}


def _codes(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name), args=args) if name in _PLACES and len(args) > _PLACES[name]:
            yield from _texts(args[_PLACES[name]])
        case ast.keyword(arg="code", value=value):
            yield from _texts(value)
        case ast.Assign(targets=[ast.Name(id="code" | "_CODES")], value=value):
            yield from _texts(value)
        case ast.AnnAssign(target=ast.Name(id="code"), value=ast.Constant(value=str(text))):
            yield text
        case ast.FunctionDef(name="invalid", args=ast.arguments(defaults=[ast.Constant(value=str(text))])):
            yield text


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may come to."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.BoolOp(values=values) | ast.Dict(values=values):
            for value in values:
                yield from _texts(value)


def constants(file: str) -> set[str]:
    """Every text in a source file."""
    tree = ast.parse((SOURCE / file).read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def paths(file: str) -> set[str]:
    """The path of every resource in a source file."""
    tree = ast.parse((SOURCE / file).read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return {ast.literal_eval(call.args[0]) for call in calls if call.func.id == "Resource"}


def test_every_error_code_is_listed_and_no_other() -> None:
    listed = [name for row in rows(TEXT, "code") for name in row.names]
    assert sorted(listed) == sorted(codes() - INNER)


def test_a_code_has_its_status() -> None:
    told = {name: row.cells[1] for row in rows(TEXT, "code") for name in row.names}
    assert told == {code: ", ".join(map(str, statuses)) for code, (statuses, _) in CODES.items()}


def test_the_collector_sees_the_codes_it_is_there_for() -> None:
    assert {"invalid_value", "unknown_parameter", "upstream_error", "invalid_signature", "run_cancelled"} <= codes()


def test_every_header_is_explained() -> None:
    known = {str(value) for name, value in vars(header).items() if name.isupper() and not name.startswith("_")}
    assert {name for name in known if "-" in name} <= quoted(TEXT)


def test_every_parameter_of_a_completion_is_named() -> None:
    assert set(ChatRequest.__struct_fields__) <= quoted(TEXT)


def test_every_path_of_the_server_is_told() -> None:
    served = paths("api/catalogue.py") - {"/{platform}/{account}"}
    told = {word.split()[-1] for row in rows(TEXT, "path") for word in row.names}
    assert told == served


def test_every_metric_is_told() -> None:
    metrics = {text for text in constants("app/metrics.py") if re.fullmatch(r"serai_\w+", text)}
    told = {name for row in rows(TEXT, "metric") for name in row.names}
    assert {name.partition("{")[0].removesuffix("_total") for name in told} == metrics
