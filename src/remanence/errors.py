"""Every error Remanence raises. Each has a stable `code` and, where one exists, a next step in its message."""

from __future__ import annotations

from typing import ClassVar


class RemanenceError(Exception):
    """Something Remanence could not do. `code` is stable and safe to match on."""

    code: ClassVar[str] = "error"


class InvalidInputError(RemanenceError):
    """An argument was refused before anything was done. `argument` names it."""

    code = "invalid_input"

    def __init__(self, argument: str, why: str) -> None:
        self.argument = argument
        self.why = why
        super().__init__(f"{argument}: {why}")


class NotFoundError(RemanenceError):
    """No memory with this id is visible in this namespace."""

    code = "not_found"


class ConflictError(RemanenceError):
    """The record changed since it was read, or another record already holds its place."""

    code = "conflict"


class IdempotencyConflictError(ConflictError):
    """The same idempotency key came with different content."""

    code = "idempotency_conflict"


class ClosedError(RemanenceError):
    """The memory was used after `close()`, or in a process forked after it was opened."""

    code = "closed"


class WrongContextError(RemanenceError):
    """A blocking call was made inside a running event loop; use AsyncMemory there."""

    code = "wrong_context"


class StoreError(RemanenceError):
    """The store could not do its work. Nothing of the failed call was kept."""

    code = "store_error"


class StoreUnavailableError(StoreError):
    """The store cannot be opened or stayed locked by others for too long."""

    code = "store_unavailable"


class StoreFullError(StoreError):
    """No space is left for the store."""

    code = "store_full"


class StoreReadOnlyError(StoreError):
    """The store's file or directory may not be written."""

    code = "store_read_only"


class StoreCorruptError(StoreError):
    """The file is damaged or is not a Remanence database. It was left untouched."""

    code = "store_corrupt"


class SchemaError(StoreError):
    """The database belongs to a newer release, or a shipped migration was edited."""

    code = "schema"


class EmbedderError(RemanenceError):
    """Text could not be embedded."""

    code = "embedder_error"


class EmbedderUnavailableError(EmbedderError):
    """The embedder is away, for a reason that no text is to blame for."""

    code = "embedder_unavailable"


class EmbedderMismatchError(EmbedderError):
    """The store's vectors were made by another model than the one in use."""

    code = "embedder_mismatch"


class MissingExtraError(RemanenceError):
    """An optional package is not installed. The message names the command that installs it."""

    code = "missing_extra"


class AccessError(RemanenceError):
    """The server does not let this caller do this."""

    code = "access"


class UnauthenticatedError(AccessError):
    """No key came with the call, or one that is unknown, revoked or expired."""

    code = "unauthenticated"


class ForbiddenError(AccessError):
    """The key lacks the scope, or does not cover the namespace."""

    code = "forbidden"


class LimitError(RemanenceError):
    """A limit was reached; `retry_after` is in seconds, None when waiting does not help."""

    code = "limit"

    def __init__(self, why: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(why)


class RateLimitError(LimitError):
    """Too many calls in too short a time."""

    code = "rate_limited"


class QuotaError(LimitError):
    """The memories, bytes or operations that this key may use are used up."""

    code = "quota_exceeded"


class TooLargeError(LimitError):
    """What was sent is larger than the server takes."""

    code = "too_large"


class ServerError(RemanenceError):
    """The server answered in a way it should not."""

    code = "server_error"


class ServerUnavailableError(ServerError):
    """The server cannot be reached, is shutting down, or cannot do this now."""

    code = "server_unavailable"


class SpoolFullError(ServerUnavailableError):
    """The server is away, and what waits for it fills the spool."""

    code = "spool_full"
