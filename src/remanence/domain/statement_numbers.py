"""Amounts with units, dates and times of day in one form each: "half past two" is 02:30, "2 weeks" are 14 days."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from remanence.domain import statement_words as w
from remanence.domain.statement_scan import POSSESSED, Raw
from remanence.domain.time_words import MONTHS, SEASONS, SHORT_WEEKDAYS, UNSURE, WEEKDAYS

_WEEKDAYS = WEEKDAYS | {day + "s": number for day, number in WEEKDAYS.items()} | SHORT_WEEKDAYS
_NOT_ALONE = frozenset(
    {"may", "march", "mar", "sun", "sat", "mon", "wed", "fri", "dec", "second", "m", "s", "b", "g", "h"}
)
_ONE_AFTER = frozenset("at only has have need needs require requires just with exactly had".split())
_NO_YEAR = w.BE | frozenset("to at about number no room code pin costs cost pays has have holds only".split())
_OF_MONTH = frozenset({"of the month", "of each month", "of every month"})
_WHOM = frozenset("me him her us them you".split())
_MONTH_AFTER = w.PREPOSITIONS | frozenset("the this last next early late mid each every of and or".split())
_LASTING = frozenset("takes took lasts lasted about within for is over under".split())
_RANGE = frozenset("to and until till through".split())
_CURRENCY = {"$": "usd", "€": "eur", "£": "gbp"}
_CLOCK_BEFORE = frozenset("at by until till from before after past since around between to about".split())
_CLOCK_AFTER = frozenset(
    "in on every and to until till instead sharp now for each when but o'clock daily am pm a.m. p.m. or".split()
)


class Value(NamedTuple):
    """What a number, date or time of day stands for."""

    kind: str  # number, date, clock
    number: float = 0.0  # in the unit's base; minutes of the day
    unit: str = ""
    year: int = 0
    month: int = 0
    day: int = 0
    weekday: int = -1
    vague: bool = False  # a time that may be of the morning or of the afternoon
    season: str = ""
    counted: str = ""  # what a bare number counts: the word behind it

    @property
    def key(self) -> str:
        if self.kind == "date":
            return f"{self.year}-{self.month}-{self.day}-{self.weekday}{self.season}"
        return f"{self.number:g}{self.unit}"

    def same(self, other: Value) -> bool:
        """Whether both can stand for the same."""
        if self.kind != other.kind:
            return {self.kind, other.kind} == {"clock", "number"} and _lasting(self, other)
        if self.kind == "clock":
            apart = abs(self.number - other.number)
            return apart == 0 or ((self.vague or other.vague) and apart == 720)
        if self.kind == "date":
            parts = [(self.year, other.year), (self.month, other.month), (self.day, other.day)]
            shared = [(a, b) for a, b in parts if a and b]
            if self.weekday >= 0 and other.weekday >= 0:
                shared.append((self.weekday, other.weekday))
            if self.season and other.season:
                return self.season == other.season and all(a == b for a, b in shared)
            return bool(shared) and all(a == b for a, b in shared)
        units = not self.unit or not other.unit or self.unit == other.unit
        return units and abs(self.number - other.number) <= 1e-9 * max(abs(self.number), 1.0)


def _lasting(one: Value, other: Value) -> bool:
    """Whether 3:52 is meant as a duration."""
    clock, amount = (one, other) if one.kind == "clock" else (other, one)
    return amount.unit == "time" and amount.number in (clock.number * 60, clock.number)


def _low(raws: Sequence[Raw], i: int) -> str:
    return raws[i].low if 0 <= i < len(raws) else ""


def quantity(raws: Sequence[Raw], i: int) -> tuple[Value, int] | None:
    """The amount, date or time that begins at `i`, and where the text goes on."""
    raw = raws[i]
    if (
        raw.kind in ("amount", "sign")
        or raw.low in w.SMALL_NUMBERS
        or raw.low in ("half", "a", "an", "dozen", "quarter", "couple")
    ):
        return _number(raws, i)
    if raw.kind == "clock":
        return _clock(raw.low), i + 1 + (_low(raws, i + 1) == "o'clock")
    if raw.kind == "iso":
        parts = [int(part) for part in raw.low.split("-")]
        return Value("date", year=parts[0], month=parts[1], day=parts[2] if len(parts) > 2 else 0), i + 1
    if raw.kind == "dotted":
        first, second, year = (int(part) for part in re.split(r"[./]", raw.low))
        day, month = (second, first) if second > 12 else (first, second)
        return Value("date", year=year, month=month, day=day), i + 1
    if raw.low == "every" and _low(raws, i + 1) in ("other", "second") and (found := _unit(raws, i + 2)):
        return Value("number", 2 * found[1], found[0]), found[2]
    if raw.kind == "word":
        return _named(raws, i)
    return None


def _clock(said: str) -> Value:
    hour, minute, half = 0, 0, ""
    if match := re.match(r"(\d+)(?:[:.h](\d+))?\s*([ap]?)", said):
        hour, minute, half = int(match[1]), int(match[2] or 0), match[3]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return Value("clock", hour * 60 + minute)


def _named(raws: Sequence[Raw], i: int) -> tuple[Value, int] | None:
    low = raws[i].low
    if low in ("noon", "midday"):
        return Value("clock", 720), i + 1
    if low == "midnight":
        return Value("clock", 0), i + 1
    if low in _WEEKDAYS and (low not in _NOT_ALONE or raws[i].text[0].isupper()):
        return Value("date", weekday=_WEEKDAYS[low]), i + 1
    if low in MONTHS and (raws[i].text[0].isupper() or low not in _NOT_ALONE):
        if low in UNSURE and not _is_dated(raws, i + 1) and not _is_dated(raws, i - 1) and _is_name(raws, i):
            return None
        return _month(raws, i)
    if low in w.ORDINALS and " ".join(_low(raws, i + k) for k in (1, 2, 3)) in _OF_MONTH:
        return Value("number", w.ORDINALS[low], "th"), i + 1
    if (
        low in w.ORDINALS
        and _low(raws, i - 1) not in ("at", "for")
        and _low(raws, i + 1) not in ("", "of", "to")
    ):
        return Value("number", w.ORDINALS[low], "th"), i + 1
    if low == "once" and _low(raws, i + 1) not in ("", "a", "an", "per", "every", "each", "in", ".", ","):
        return None  # "once deleted"
    if low in w.TIMES_WORDS and _low(raws, i + 1) not in ("the", "i", "we", "he", "she", "it", "they"):
        return Value("number", w.TIMES_WORDS[low], "times"), i + 1
    if low in w.ORDINALS and _low(raws, i + 1) in ("of", "") and _low(raws, i + 2) in MONTHS:
        return _dated(raws, i + 2, w.ORDINALS[low], i + 3)
    if low in SEASONS and _low(raws, i - 1) in (
        "in",
        "the",
        "this",
        "last",
        "next",
        "every",
        "since",
        "until",
        "by",
    ):
        season = "autumn" if low == "fall" else low
        j = i + 1 + (_low(raws, i + 1) in ("of", "term"))
        year = _year(raws, j)
        return Value("date", year=year, season=season), (j + 1 if year else i + 1)
    if match := re.fullmatch(r"(\d{2,4})s", low):
        return Value("date", season=match[1][-2:] + "s"), i + 1
    if low in ("twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties"):
        tens = {
            "twe": "20",
            "thi": "30",
            "for": "40",
            "fif": "50",
            "six": "60",
            "sev": "70",
            "eig": "80",
            "nin": "90",
        }
        return Value("date", season=tens[low[:3]] + "s"), i + 1
    if match := re.fullmatch(r"q([1-4])", low):
        year = _year(raws, i + 1)
        return Value("date", year=year, season=low), i + 1 + bool(year)
    return None


def _year(raws: Sequence[Raw], i: int) -> int:
    if 0 <= i < len(raws) and raws[i].kind == "amount" and re.fullmatch(r"(?:1[5-9]|20)\d\d", raws[i].low):
        return int(raws[i].low)
    return 0


def _month(raws: Sequence[Raw], i: int) -> tuple[Value, int]:
    """ "May", "May 3rd, 2024", "May 2024"."""
    if year := _year(raws, i + 1):
        return Value("date", year=year, month=MONTHS[raws[i].low]), i + 2
    if i + 1 < len(raws) and raws[i + 1].kind == "amount":
        match = re.fullmatch(r"([0-3]?\d)(?:st|nd|rd|th)?", raws[i + 1].low)
        if match and 1 <= int(match[1]) <= 31:
            return _dated(raws, i, int(match[1]), i + 2)
    return Value("date", month=MONTHS[raws[i].low]), i + 1


def _dated(raws: Sequence[Raw], i: int, day: int, after: int) -> tuple[Value, int]:
    comma = _low(raws, after) == ","
    year = _year(raws, after + comma)
    return Value("date", year=year, month=MONTHS[raws[i].low], day=day), after + (1 + comma if year else 0)


def _unit(raws: Sequence[Raw], i: int) -> tuple[str, float, int] | None:
    low = _low(raws, i)
    found = w.UNITS.get(low)
    if found is None:
        return None
    return found[0], found[1], i + 1


def _number(raws: Sequence[Raw], i: int) -> tuple[Value, int] | None:
    """ "40 minutes", "1.2 million", "forty", "two hundred and fifty", "an hour and a half", "3 May", "at six"."""
    raw = raws[i]
    low, unit, factor, j = raw.low, "", 1.0, i
    if raw.kind == "sign":
        if low not in _CURRENCY or i + 1 >= len(raws) or raws[i + 1].kind != "amount":
            return None
        unit, j = _CURRENCY[low], i + 1
        low = raws[j].low
    if low == "half":
        if _low(raws, i + 1) == "past" and (hour := _spoken(_low(raws, i + 2))):
            return Value("clock", hour * 60 + 30, vague=hour < 13), i + 3
        k = i + 1 + (_low(raws, i + 1) in ("a", "an"))
        found = _unit(raws, k)
        return (Value("number", found[1] / 2, found[0]), found[2]) if found else None
    if low == "quarter" and [_low(raws, i + k) for k in (1, 2, 3)] == ["of", "an", "hour"]:
        return Value("number", 900, "time"), i + 4
    if low == "quarter":
        hour = _spoken(_low(raws, i + 2))
        if _low(raws, i + 1) in ("past", "to") and hour:
            return Value(
                "clock", hour * 60 + (15 if _low(raws, i + 1) == "past" else -15), vague=hour < 13
            ), i + 3
        return None
    if low in ("a", "an"):
        if _low(raws, i + 1) in ("dozen", "couple", "hundred", "thousand", "million", "half"):
            return _number_words(raws, i + 1, 1.0)
        found = _unit(raws, i + 1)
        if found and found[0] == "time" and [_low(raws, i + k) for k in (2, 3, 4)] == ["and", "a", "half"]:
            return _and_half(raws, found[2], found[1], found)
        before = _low(raws, i - 2) if _low(raws, i - 1) in _WHOM else _low(raws, i - 1)
        if found and before in _LASTING and found[0] == "time":
            return Value("number", found[1], found[0]), found[2]
        return None
    if low == "one" and not (
        _unit(raws, i + 1) or _low(raws, i - 1) in _ONE_AFTER or _counts(raws, i) or _numbers(raws, i)
    ):
        return None
    if low in w.SMALL_NUMBERS or low in ("dozen", "couple"):
        return _number_words(raws, i, 1.0)
    return _digits(raws, j, low, unit, factor)


def _numbers(raws: Sequence[Raw], i: int) -> bool:
    """Whether the word before is a noun that "one" numbers: "hive one", but not "the red one"."""
    low = _low(raws, i - 1)
    if i < 1 or raws[i - 1].kind != "word" or low in w.LIGHT or low in w.PREPOSITIONS or low in w.VERBS:
        return False
    return low not in w.AUXILIARY and (i == 1 or _low(raws, i - 2) in w.PREPOSITIONS)


def _stands_free(raws: Sequence[Raw], i: int) -> bool:
    """Whether what stands at `i`, before a number, is no noun that the number names: "cow 112"."""
    low = _low(raws, i) if i >= 0 else ""
    if low in _WEEKDAYS or low in MONTHS:
        return True
    return not low or _is_function(low) or _is_verb(low) or raws[i].kind != "word"


def _is_function(low: str) -> bool:
    return low in w.LIGHT or low in w.PREPOSITIONS or low in w.AUXILIARY


def _is_verb(low: str) -> bool:
    return low in w.VERBS or low in w.PAST or (low.endswith("s") and low[:-1] in w.VERBS)


def _is_name(raws: Sequence[Raw], i: int) -> bool:
    """Whether a month is somebody's name here: "Jun's", "April likes", "gives May"."""
    return _low(raws, i + 1) == POSSESSED or _low(raws, i - 1) not in _MONTH_AFTER


def _counts(raws: Sequence[Raw], i: int) -> bool:
    """Whether "one" behind "is" counts the noun behind it: "the dose is one tablet"."""
    if _low(raws, i - 1) not in w.BE or i + 1 >= len(raws) or raws[i + 1].kind != "word":
        return False
    return raws[i + 1].low not in w.LIGHT and raws[i + 1].low not in w.PREPOSITIONS


def _is_dated(raws: Sequence[Raw], i: int) -> bool:
    """Whether a day or a year stands here, so that the word before is a month."""
    return i < len(raws) and raws[i].kind == "amount"


def _spoken(low: str) -> int:
    if low.isascii() and low.isdigit() and len(low) <= 2:
        return int(low)
    value = w.SMALL_NUMBERS.get(low, 0)
    return value if value <= 24 else 0


def _and_half(raws: Sequence[Raw], i: int, number: float, found: tuple[str, float, int]) -> tuple[Value, int]:
    if [_low(raws, i + k) for k in range(3)] == ["and", "a", "half"]:
        return Value("number", number * 1.5, found[0]), i + 3
    return Value("number", number, found[0]), i


def _number_words(raws: Sequence[Raw], i: int, number: float) -> tuple[Value, int]:
    total, part, j = 0.0, 0.0, i
    sign = -1.0 if _low(raws, i - 1) in ("minus", "negative") else 1.0
    while True:
        low = _low(raws, j)
        if low in w.SMALL_NUMBERS:
            value = w.SMALL_NUMBERS[low]
            if part and not (part % 100 >= 20 and part % 10 == 0 and value < 10) and part % 100 != 0:
                break
            part += value
        elif low in w.SCALES and (len(low) > 2 or part):
            part = (part or 1.0) * w.SCALES[low]
            if part >= 1_000:
                total, part = total + part, 0.0
        elif low == "couple":
            part = (part or 1.0) * 2
        elif (
            low == "and"
            and (part or total)
            and _low(raws, j + 1) in w.SMALL_NUMBERS
            and (part >= 100 or total)
        ):
            pass
        else:
            break
        j += 1
    number = sign * (total + part)
    if j == i + 1 and (value := _as_clock(raws, i, j, number)):
        return value
    return _with_unit(raws, j, number, "")


def _as_clock(raws: Sequence[Raw], i: int, j: int, number: float) -> tuple[Value, int] | None:
    """A bare number behind "at", or between "from" and "to", is an hour."""
    if not (number.is_integer() and 1 <= number <= 24):
        return None
    after, before = _low(raws, j), _low(raws, i - 1)
    if after in ("to", "past") and number in (5, 10, 20) and before not in ("from", "between", "up"):
        hour = _spoken(_low(raws, j + 1))
        if 0 < hour <= 12 and _low(raws, j + 2) not in w.UNITS:
            return Value("clock", hour * 60 + (number if after == "past" else -number), vague=True), j + 2
    if after == "o'clock":
        return Value("clock", number * 60, vague=number < 13), j + 1
    if after in ("am", "pm", "a.m", "p.m"):
        return Value("clock", number % 12 * 60 + (720 if after[0] == "p" else 0)), j + 1
    ends = j >= len(raws) or raws[j].kind in ("stop", "comma") or after in _CLOCK_AFTER or after in _WEEKDAYS
    if not ends:
        return None
    ranged = before in ("and", "to", "until", "till") and _low(raws, i - 3) in ("between", "from", "open")
    leads = before in ("at",) or (
        before in ("by", "until", "till", "before", "after", "past") and number <= 12
    )
    if before in ("between", "from") and after in ("and", "to", "until", "till"):
        follows = _spoken(_low(raws, j + 1))
        leads = 0 < follows <= 24 and (
            j + 2 >= len(raws) or raws[j + 2].kind != "word" or _low(raws, j + 2) in _CLOCK_AFTER
        )
    if leads or ranged or (before == "of" and _low(raws, i - 2) == "instead"):
        return Value("clock", number % 24 * 60, vague=number < 13), j
    return None


def _digits(raws: Sequence[Raw], i: int, low: str, unit: str, factor: float) -> tuple[Value, int] | None:
    sign = -1.0 if low[0] in "-−" or _low(raws, i - 1) in ("minus", "negative") else 1.0
    low = low.lstrip("-−+")
    if low[0] in _CURRENCY:
        unit, low = _CURRENCY[low[0]], low[1:]
    match = re.match(r"[\d,]*\.?\d+|\d+", low)
    if not match:
        return None
    number = sign * float(match[0].replace(",", ""))
    tail = low[match.end() :]
    j = i + 1
    if tail in ("st", "nd", "rd", "th"):
        k = j + (_low(raws, j) == "of")
        if _low(raws, k) in MONTHS and number <= 31:
            return _dated(raws, k, int(number), k + 1)
        return Value("number", number, "th"), j
    if not tail and not unit and number.is_integer():
        k = j + (_low(raws, j) == "of")
        if 1 <= number <= 31 and _low(raws, k) in MONTHS and raws[k].text[0].isupper():
            return _dated(raws, k, int(number), k + 1)
        ranged = 1 <= number <= 31 and _low(raws, j) in _RANGE and _is_dated(raws, j + 1)
        if ranged and _low(raws, j + 2) in MONTHS and raws[j + 2].text[0].isupper():  # "from 3 to 17 August"
            return Value("date", month=MONTHS[raws[j + 2].low], day=int(number)), j
        year = 0 if _low(raws, i - 1) in _NO_YEAR else _year(raws, i)
        if year and year >= 1400 and _low(raws, j) not in w.UNITS and ("." not in low and "," not in low):
            return Value("date", year=year), j
        if value := _as_clock(raws, i, j, number):
            return value
    if tail in w.SCALES or tail == "m":
        if tail == "m":
            factor, tail = (1e6, "") if unit or (number >= 1 and raws[i].text.endswith("M")) else (1.0, "m")
        else:
            factor, tail = w.SCALES[tail], ""
    number *= factor
    if _low(raws, j) in w.SCALES and len(_low(raws, j)) > 1:
        number *= w.SCALES[_low(raws, j)]
        j += 1
    if tail in w.UNITS:
        kind, times = w.UNITS[tail]
        return Value("number", number * times, kind), j
    return _with_unit(raws, j, number, unit)


def _with_unit(raws: Sequence[Raw], j: int, number: float, unit: str) -> tuple[Value, int]:
    if unit:
        return Value("number", number, unit), j + (w.UNITS.get(_low(raws, j), ("", 0))[0] == unit)
    if [_low(raws, j + k) for k in range(3)] == ["and", "a", "half"]:
        number, j = number + 0.5, j + 3
    if _low(raws, j) == "°":
        return Value("number", number, "degree"), j + 1 + (_low(raws, j + 1) in ("c", "f"))
    if found := _unit(raws, j):
        value, j = _and_half(raws, found[2], number * found[1], found)
        j += value.unit == "degree" and _low(raws, j) in ("celsius", "c")
        j += (
            _low(raws, j) == "and"
            and _low(raws, j + 1).isdigit()
            and value.unit == "time"
            and _low(raws, j + 2) in w.UNITS
        )
        if j < len(raws) and raws[j].kind == "amount" and value.unit == "time":  # "3 hours 52 minutes"
            more = _number(raws, j)
            if more and more[0].unit == "time" and more[0].number < value.number:
                return Value("number", value.number + more[0].number, "time"), more[1]
        return value, j
    if _low(raws, j) == "times":
        return Value("number", number, "times"), j + 1
    counted = _low(raws, j) if j < len(raws) and raws[j].kind == "word" and _stands_free(raws, j - 2) else ""
    if counted != "people" and (_is_function(counted) or _is_verb(counted)):
        counted = ""
    return Value("number", number, counted=counted), j
