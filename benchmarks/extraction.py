"""`python -m benchmarks.extraction`: how fast the rules extract, on one core, warm, beside splitting the same text.

Messages are the project's own: of its small conversations, of the labelled halves that rules may be tuned on, of the
examples below, and long ones made of those. Each figure is the best of several passes in one thread: what else runs
on the machine only ever makes a pass slower. The floor is `str.split` of every message.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import Row, show
from remanence.domain.messages import Message
from remanence.extractors.rules import RulesExtractor

BAR = 2_000  # messages a second
PASSES = 7
_DATA = Path(__file__).parent.parent / "tests" / "quality" / "data"
_AT = datetime(2025, 3, 12, 10, tzinfo=UTC)
_SAMPLES = """
I live in Porto, work at a print shop and have two dogs.
Thanks, that looks good to me!
Could you check why the job is so slow?
We decided to use SQLite because nobody wants to run another server.
Actually, the review moved from Tuesday to Thursday.
If we had more time, we would rewrite the parser.
To release, run make release and push the tag.
We tried the new driver, but it deadlocked under load.
The staging server runs Debian 12 and the database uses port 5433.
Please never commit to main without a review.
I need to renew my passport by Friday.
Here is a summary of what was found so far. The import takes four minutes, most of it in the index.
""".strip().splitlines()
_CODE = "```python\nfor item in items:\n    print(item, 'I prefer tabs')\n```\n"


def main() -> int:
    """Prints a table; the exit code tells whether the bar holds."""
    rows = extraction()
    show(rows)
    print(
        f"one thread, best of {PASSES} warm passes, time.perf_counter; Python {platform.python_version()} "
        f"({platform.machine()})"
    )
    return 0 if all(row.holds for row in rows) else 1


def extraction() -> list[Row]:
    """Messages a second by kind of message, and the whole as a ratio to the floor."""
    kinds = {
        "short messages (own conversations)": [*_conversations(), *_SAMPLES * 20],
        "labelled statements": list(_labelled()),
        "answers of 1,500 characters": [" ".join((_SAMPLES * 3)[i : i + 24]) for i in range(12)] * 10,
        "answers with code": [f"{_SAMPLES[i]}\n{_CODE * 5}{_SAMPLES[-1]}" for i in range(12)] * 20,
        "small talk and questions": [
            "Thanks a lot!",
            "How are you today?",
            "Sure, go ahead.",
            "What is next?",
        ]
        * 100,
    }
    rows = [_row(kind, texts) for kind, texts in kinds.items() if texts]
    rows.append(_row("all of them", [text for texts in kinds.values() for text in texts]))
    return rows


def _row(kind: str, texts: Sequence[str]) -> Row:
    messages = [Message(content=text, name="Anna", at=_AT) for text in texts]
    extractor = RulesExtractor()
    found = len(extractor.candidates(messages))  # warms caches and imports
    seconds = _best(lambda: extractor.candidates(messages))
    floor = _best(lambda: [text.split() for text in texts])
    rate = len(messages) / seconds
    mean = sum(map(len, texts)) / len(texts)
    # The long kinds are shown, not judged: a message of 1,500 characters is many messages' work.
    judged = mean < 300
    return Row(
        name=f"rules, {kind}" + ("" if judged else " (no bar)"),
        value=rate,
        floor=len(messages) / floor,
        unit="messages/s",
        ratio=rate,
        bar=BAR if judged else 0,
        at_least=True,
        how=f"{len(texts):,} messages of {mean:.0f} characters, {found:,} candidates: "
        f"{seconds / len(texts) * 1e6:.0f} µs a message, {seconds / floor:.0f} x str.split",
    )


def _best(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(PASSES):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def _conversations() -> Iterator[str]:
    """What is said in the project's own small conversations, in either of their two formats."""
    for path in sorted((*_DATA.glob("*.json"), *_DATA.glob("chats/**/chat.json"))):
        yield from _said(json.loads(path.read_text(encoding="utf-8")))


def _said(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("text", "content") and isinstance(inner, str):
                yield inner
            else:
                yield from _said(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _said(inner)


def _labelled() -> Iterator[str]:
    folder = _DATA / "truth"
    for name in ("extraction_dev.jsonl", "pairs_dev_a.jsonl", "pairs_dev_b.jsonl"):
        path = folder / name
        if not path.exists():
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            for said in (*case.get("messages", ()), case.get("old"), case.get("new")):
                if said:
                    yield said["content"]


if __name__ == "__main__":
    raise SystemExit(main())
