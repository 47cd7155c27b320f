"""A receipt as JSON: what a server answers, and the file that `verify-forgotten` reads."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from remanence.domain.records import Pending, Receipt, Traces
from remanence.domain.traces import WINDOW
from remanence.domain.transfer import time_text

_PENDING: tuple[Pending, ...] = get_args(Pending)


def to_dict(receipt: Receipt) -> dict[str, Any]:
    """A receipt whole, with the fingerprints that prove it."""
    traces = receipt.traces
    return {
        "id": receipt.id,
        "at": time_text(receipt.at),
        "tenant": receipt.tenant,
        "namespace": receipt.namespace,
        "ids": list(receipt.ids),
        "versions": receipt.versions,
        "derived": list(receipt.derived),
        "restored": list(receipt.restored),
        "values": receipt.values,
        "channels": receipt.channels,
        "jobs": receipt.jobs,
        "spooled": receipt.spooled,
        "pending": receipt.pending,
        "traces": None if traces is None else _traces_to_dict(traces),
    }


def _traces_to_dict(traces: Traces) -> dict[str, Any]:
    return {
        "salt": traces.salt.hex(),
        "windows": {str(length): b64encode(packed).decode() for length, packed in traces.windows.items()},
        "texts": traces.texts,
        "short": traces.short,
        "sampled": traces.sampled,
    }


def from_dict(data: object) -> Receipt:
    """Back from JSON. ValueError says what is wrong."""
    found = _object("the receipt", data)
    pending, traces = _optional_text(found, "pending"), _get(found, "traces")
    if pending is not None and pending not in _PENDING:
        raise ValueError(f"pending is {pending!r:.40}")
    return Receipt(
        ids=_ids(found, "ids"),
        versions=_count(found, "versions"),
        derived=_ids(found, "derived"),
        restored=_ids(found, "restored"),
        values=_count(found, "values"),
        channels=_count(found, "channels"),
        jobs=_count(found, "jobs"),
        spooled=_count(found, "spooled"),
        id=_text(found, "id"),
        at=_optional_time(found, "at"),
        tenant=_text(found, "tenant"),
        namespace=_optional_text(found, "namespace"),
        pending=next((known for known in _PENDING if known == pending), None),
        traces=None if traces is None else _traces_from_dict(_object("traces", traces)),
    )


def _traces_from_dict(data: Mapping[str, Any]) -> Traces:
    windows = _object("windows", _get(data, "windows"))
    salt = bytes.fromhex(_text(data, "salt"))
    packed = {int(length): b64decode(_text(windows, length), validate=True) for length in windows}
    if not 1 <= len(salt) <= 64 or not all(1 <= length <= WINDOW for length in packed):
        raise ValueError("traces are damaged")
    return Traces(
        salt=salt,
        windows=packed,
        texts=_count(data, "texts"),
        short=_count(data, "short"),
        sampled=_get(data, "sampled") is True,
    )


def _object(name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is {type(value).__name__}, not an object")
    return value  # pyright: ignore[reportUnknownVariableType]


def _get(found: Mapping[str, Any], name: str) -> Any:
    if name not in found:
        raise ValueError(f"{name} is missing")
    return found[name]


def _count(found: Mapping[str, Any], name: str) -> int:
    value = _get(found, name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} is no count")
    return value


def _text(found: Mapping[str, Any], name: str) -> str:
    value = _get(found, name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value


def _optional_text(found: Mapping[str, Any], name: str) -> str | None:
    return None if _get(found, name) is None else _text(found, name)


def _optional_time(found: Mapping[str, Any], name: str) -> datetime | None:
    told = _optional_text(found, name)
    if told is None:
        return None
    moment = datetime.fromisoformat(told)
    if time_text(moment) != told:
        raise ValueError(f"{name} is no time in UTC")
    return moment


def _ids(found: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values: Any = _get(found, name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):  # pyright: ignore[reportUnknownVariableType]
        raise ValueError(f"{name} is no list of texts")
    return tuple(values)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
