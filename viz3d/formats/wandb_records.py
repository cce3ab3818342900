"""The records of a ``.wandb`` file, as far as they are read here.

W&B's own classes are not used: to import them is to import all of ``wandb``, which replaces the
``write`` of standard output for good. Protobuf never gives a number another meaning, so the few
fields below are read from files of any version; a test holds them against W&B's.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from viz3d.formats import limits
from viz3d.formats.protobuf import BYTES, TooManyFields, fields, key

# {message: {field: (number, type)}}; a type in capitals is a message, one in brackets repeated.
# What is only counted is of type Blank: its content is not looked at.
MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "Blank": {},
    "Item": {"key": (1, "string"), "nested_key": (2, "[string]"), "value_json": (16, "string")},
    "Step": {"num": (1, "int64")},
    "Time": {"seconds": (1, "int64")},
    "History": {"item": (1, "[Item]"), "step": (2, "Step")},
    "Config": {"update": (1, "[Item]"), "remove": (2, "[Item]")},
    "Run": {
        "run_id": (1, "string"),
        "entity": (2, "string"),
        "project": (3, "string"),
        "config": (4, "Config"),
        "display_name": (8, "string"),
        "start_time": (17, "Time"),
    },
    "Exit": {"exit_code": (1, "int32")},
    "Record": {
        "history": (2, "History"),
        "output": (4, "Blank"),
        "config": (5, "Config"),
        "stats": (7, "Blank"),
        "output_raw": (13, "Blank"),
        "run": (17, "Run"),
        "exit": (18, "Exit"),
    },
}


def check(record: bytes) -> None:
    """Look whether a record may be decoded: a field takes two bytes, and decoded fifty and more.

    Raises
    ------
    TooManyFields
        If the messages in it have more fields together than any that is meant to be read.
    ValueError
        If it is damaged.
    """
    if len(record) <= 2 * limits.FIELDS:
        return
    for count, _ in enumerate(_fields(memoryview(record), "Record"), start=1):
        if count > limits.FIELDS:
            raise TooManyFields


def _fields(message: memoryview, name: str) -> Iterator[int]:
    """Yield the fields of a message and of those in it, as far as they are known."""
    known = {key(number, BYTES): kind.strip("[]") for number, kind in MESSAGES[name].values()}
    for field, value in fields(message):
        yield field
        if MESSAGES.get(known.get(field, "")):
            yield from _fields(value, known[field])


@cache
def record_class() -> Any:
    """Return the class of a record; its `FromString` reads one, and raises `DecodeError`."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field_of = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="viz3d/wandb.proto", package="viz3d", syntax="proto3"
    )
    for name, content in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in content.items():
            inner = kind.strip("[]")
            of_message = inner in MESSAGES
            message.field.add(
                name=field,
                number=number,
                label=field_of.LABEL_OPTIONAL if kind == inner else field_of.LABEL_REPEATED,
                type=field_of.TYPE_MESSAGE
                if of_message
                else field_of.Type.Value(f"TYPE_{inner.upper()}"),
                type_name=f".viz3d.{inner}" if of_message else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("viz3d.Record"))
