"""A key-value service as they are commonly built, to compare with: FastAPI, one table, one commit a write."""

from __future__ import annotations

import sqlite3
import sys
import threading
import time

import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
_local = threading.local()


class Value(BaseModel):
    value: str


def _connection() -> sqlite3.Connection:
    if not hasattr(_local, "connection"):
        _local.connection = sqlite3.connect(sys.argv[1], timeout=30)
        _local.connection.execute("PRAGMA journal_mode=WAL")
        _local.connection.execute("PRAGMA synchronous=FULL")  # as durable as what it is compared with
        _local.connection.execute(
            "CREATE TABLE IF NOT EXISTS kv(namespace TEXT, key TEXT, value TEXT, created REAL, updated REAL,"
            " PRIMARY KEY(namespace, key))"
        )
    return _local.connection


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.put("/memory/{namespace}/{key}")
def put(namespace: str, key: str, body: Value) -> dict[str, object]:
    now = time.time()
    with _connection() as connection:
        connection.execute(
            "INSERT INTO kv VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, updated = ?",
            (namespace, key, body.value, now, now, now),
        )
    return {"namespace": namespace, "key": key, "stored": True, "bytes": len(body.value)}


@app.get("/memory/{namespace}/{key}")
def get(namespace: str, key: str) -> dict[str, object]:
    row = (
        _connection()
        .execute("SELECT value, created, updated FROM kv WHERE namespace = ? AND key = ?", (namespace, key))
        .fetchone()
    )
    if row is None:
        raise HTTPException(404)
    return {
        "namespace": namespace,
        "key": key,
        "value": row[0],
        "created_at": row[1],
        "updated_at": row[2],
    }


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_level="warning")
