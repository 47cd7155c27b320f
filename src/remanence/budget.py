"""How many tokens, and how much money, calls to language models may use."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

from remanence.errors import InvalidInputError

log = logging.getLogger("remanence")

_MILLION: Final = 1_000_000


class OverBudgetError(Exception):
    """A request could cost more than is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a day (UTC) has cost so far; `money` in the currency of the prices."""

    day: date
    tokens_in: int = 0
    tokens_out: int = 0
    money: float = 0.0

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a request may cost at most, held back until it is known what it did cost."""

    day: date
    tokens_in: int
    tokens_out: int


class Budget:
    """How many tokens, and how much money, may be used; one may be shared by several users of models, in any threads.

    `tokens_per_call` bounds a request and its answer together, `tokens_per_day` and `money_per_day` all of a day (UTC)
    in this process; None: no bound. `price_in` and `price_out` are for a million tokens. Before a request its most is
    held back, afterwards what the server counted takes its place; without that, an estimate on the safe side.
    """

    def __init__(
        self,
        *,
        tokens_per_call: int = 16_000,
        tokens_per_day: int | None = 1_000_000,
        money_per_day: float | None = None,
        price_in: float = 0.0,
        price_out: float = 0.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if tokens_per_call < 1:
            raise InvalidInputError("tokens_per_call", "must be at least 1")
        if tokens_per_day is not None and tokens_per_day < 0:
            raise InvalidInputError("tokens_per_day", "must be 0 or more, or None")
        if not (price_in >= 0 and price_out >= 0):
            raise InvalidInputError("price_in" if not price_in >= 0 else "price_out", "must be 0 or more")
        if money_per_day is not None:
            if not money_per_day >= 0:
                raise InvalidInputError("money_per_day", "must be 0 or more, or None")
            if price_in == price_out == 0:
                raise InvalidInputError("money_per_day", "needs price_in and price_out, for a million tokens")
        self.tokens_per_call = tokens_per_call
        self.tokens_per_day = tokens_per_day
        self.money_per_day = money_per_day
        self._prices = (price_in, price_out)
        self._now = now
        self._lock = threading.Lock()
        self._spent = Spent(day=self._today())
        self._held = [0, 0]  # tokens in and out of the requests under way
        self._said: date | None = None

    @property
    def spent(self) -> Spent:
        """What today has cost so far, without the requests under way."""
        with self._lock:
            return self._day()

    def reserve(self, tokens_in: int, tokens_out: int) -> Reservation:
        """Hold back what a request may cost. OverBudgetError when that is more than is left.

        The first refusal of a day is logged. Each reservation must be settled.
        """
        if tokens_in + tokens_out > self.tokens_per_call:
            raise OverBudgetError(
                f"a call may use {self.tokens_per_call:,} tokens, this one up to {tokens_in + tokens_out:,}",
            )
        with self._lock:
            today = self._day()
            into, out = self._held[0] + tokens_in, self._held[1] + tokens_out
            tokens, money = today.tokens + into + out, today.money + self._cost(into, out)
            if (self.tokens_per_day is None or tokens <= self.tokens_per_day) and (
                self.money_per_day is None or money <= self.money_per_day
            ):
                self._held = [into, out]
                return Reservation(today.day, tokens_in, tokens_out)
            first, self._said = self._said != today.day, today.day
        if first:
            log.warning(
                "The budget of the language model is used up for %s (UTC), after %d tokens; what follows is done "
                "without a model",
                today.day,
                today.tokens,
            )
        raise OverBudgetError("the budget of the day is used up")

    def settle(self, held: Reservation, tokens_in: int, tokens_out: int) -> None:
        """Put what a request did cost in the place of what was held back for it."""
        with self._lock:
            today = self._day()
            if held.day != today.day:
                return  # it counted for the day before
            self._held = [self._held[0] - held.tokens_in, self._held[1] - held.tokens_out]
            self._spent = replace(
                today,
                tokens_in=today.tokens_in + tokens_in,
                tokens_out=today.tokens_out + tokens_out,
                money=today.money + self._cost(tokens_in, tokens_out),
            )

    def _day(self) -> Spent:
        today = self._today()
        if today > self._spent.day:  # a clock that goes back gives nothing back
            self._spent, self._held = Spent(day=today), [0, 0]
        return self._spent

    def _today(self) -> date:
        return self._now().astimezone(UTC).date()

    def _cost(self, tokens_in: int, tokens_out: int) -> float:
        return (tokens_in * self._prices[0] + tokens_out * self._prices[1]) / _MILLION
