"""A clock that tests move by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Time stands still, one microsecond a reading apart, until `advance` moves it."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def advance(self, **span: float) -> datetime:
        """Move on by a timedelta's arguments, for example `days=3`."""
        self.now += timedelta(**span)
        return self.now
