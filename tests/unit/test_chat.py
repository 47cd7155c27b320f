"""The chat client and its budget, against an endpoint on loopback that misbehaves as it is told."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest

from remanence.budget import Budget, OverBudgetError
from remanence.chat import ChatClient, ChatError, InvalidAnswerError, Tally, as_data
from remanence.domain.text import estimate_tokens
from remanence.errors import InvalidInputError, MissingExtraError
from remanence.testing.clock import ManualClock
from remanence.testing.scripted_llm import Failure, Raw, Reply, Said, ScriptedLLM, Silence

KEY = "sk-test-0123456789"
SCHEMA = {
    "type": "object",
    "properties": {
        "colour": {"type": "string", "enum": ("red", "green")},
        "share": {"type": "number", "minimum": 0, "maximum": 1},
        "parts": {"type": "array", "items": {"type": ["integer", "null"]}},
    },
}
GOOD = '{"colour":"red","share":0.5,"parts":[1,null]}'
VALUE = {"colour": "red", "share": 0.5, "parts": [1, None]}
PROMPT = "Say which colour."
QUESTION = '{"text":"a rose"}'


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Endpoint(ScriptedLLM):
    """Gives the replies one after the other, and then the last one again and again."""

    def __init__(self) -> None:
        super().__init__(self.next)
        self.script: list[Reply] = [GOOD]

    def next(self, _: object) -> Reply:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@pytest.fixture
def llm() -> Iterator[Endpoint]:
    with Endpoint() as llm:
        yield llm


@pytest.fixture
def waits() -> list[float]:
    return []


Make = Callable[..., ChatClient]


@pytest.fixture
def make(llm: Endpoint, waits: list[float]) -> Make:
    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    def client(**options: object) -> ChatClient:
        given = {"api_key": KEY, "max_tokens": 100, "timeout": 20, "sleep": sleep, "chance": lambda: 0.5}
        return ChatClient(**{"base_url": llm.base_url, "model": "tiny", **given, **options})

    return client


def ask(client: ChatClient, read: Callable[[object], object] = lambda answer: answer) -> object:
    return asyncio.run(client.ask(PROMPT, QUESTION, SCHEMA, read))


def fails(client: ChatClient) -> ChatError:
    with pytest.raises(ChatError) as caught:
        ask(client)
    assert KEY not in str(caught.value) and QUESTION not in str(caught.value)
    return caught.value


# --- what is sent ------------------------------------------------------------------------------------------------


def test_one_request_with_prompt_question_schema_bound_and_the_key_in_its_header_only(
    llm: Endpoint, make: Make
) -> None:
    client = make()
    assert ask(client) == VALUE
    sent = {
        "type": "object",
        "properties": {
            "colour": {"type": "string", "enum": ["red", "green"]},
            "share": {"type": "number"},
            "parts": {"type": "array", "items": {"type": ["integer", "null"]}},
        },
        "required": ["colour", "share", "parts"],
        "additionalProperties": False,
    }
    assert llm.chats == [
        {
            "model": "tiny",
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": sent},
            },
            "messages": [{"role": "system", "content": PROMPT}, {"role": "user", "content": QUESTION}],
            "max_tokens": 100,
            "temperature": 0,
        }
    ]
    assert llm.headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in json.dumps(llm.chats)
    assert KEY not in json.dumps(
        {name: text for name, text in llm.headers[0].items() if name != "authorization"}
    )
    assert KEY not in repr(client) and repr(client) == "ChatClient(server='127.0.0.1', model='tiny')"


def test_without_a_key_no_header_is_sent(llm: Endpoint, make: Make) -> None:
    ask(make(api_key=None))
    assert "authorization" not in llm.headers[0]


def test_a_password_in_the_address_is_sent_as_such_and_never_logged(
    llm: Endpoint, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = make(base_url=llm.base_url.replace("//", "//anna:hush@"), api_key=None)
    assert ask(client) == VALUE
    assert llm.headers[0]["authorization"] == "Basic YW5uYTpodXNo"
    assert "hush" not in caplog.text + repr(client)


def test_a_query_in_the_address_stays(llm: Endpoint, make: Make) -> None:
    error = fails(make(base_url=f"{llm.base_url}/?version=2"))
    assert str(error).endswith("answered 404: no such path: /v1/chat/completions?version=2")


@pytest.mark.parametrize(
    ("refusal", "changes"),
    [
        (
            Failure(400, "response_format json_schema is not supported"),
            {"response_format": {"type": "json_object"}},
        ),
        (Failure(422, "Extra inputs"), {"response_format": {"type": "json_object"}}),
        (
            Failure(400, "Unsupported parameter: use 'max_completion_tokens' instead"),
            {"max_tokens": None, "max_completion_tokens": 100},
        ),
        (Failure(400, "'temperature' does not support 0"), {"temperature": None}),
    ],
)
def test_what_a_server_does_not_take_is_left_out_from_then_on(
    llm: Endpoint, make: Make, waits: list[float], refusal: Failure, changes: dict[str, object]
) -> None:
    llm.script = [refusal, GOOD]
    client = make()
    assert ask(client) == ask(client) == VALUE
    first, second, third = llm.chats
    assert second == third
    assert {
        name: second.get(name) for name in first.keys() | second.keys() if first.get(name) != second.get(name)
    } == (changes | ({"messages": second["messages"]} if "response_format" in changes else {}))
    assert waits == []
    assert client.budget.spent.tokens_in > 0 and "retries" not in client.tally.snapshot()


def test_a_server_without_structured_output_gets_the_schema_in_words(llm: Endpoint, make: Make) -> None:
    llm.script = [Failure(400, "no schemas"), Failure(400, "no objects"), f"Sure:\n```json\n{GOOD}\n```"]
    assert ask(make()) == VALUE
    assert "response_format" not in llm.chats[2]
    system = llm.last.system
    assert system.startswith(PROMPT) and '"additionalProperties":false' in system and "JSON" in system
    assert QUESTION not in system and llm.last.text.count(QUESTION) == 1


def test_a_server_that_takes_nothing_is_given_up_and_asked_the_best_way_next_time(
    llm: Endpoint, make: Make
) -> None:
    llm.script = [Failure(400, "this context is too long")]
    client = make()
    assert fails(client).reason == "rejected"
    assert len(llm.chats) == 3
    assert client.budget.spent.tokens == 0
    llm.script = [GOOD]
    ask(client)
    assert llm.chats[3]["response_format"]["type"] == "json_schema"


# --- answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        GOOD,
        f"\n {GOOD} \n",
        f"```json\n{GOOD}\n```",
        f'<think>{{"colour":"green"}}, no</think>{GOOD}',
        '{"colour":"red","share":0.5,"parts":[1,null]}'.replace(",", " ,\n"),
    ],
)
def test_answers_that_are_understood(llm: Endpoint, make: Make, answer: str) -> None:
    llm.script = [answer]
    assert ask(make()) == VALUE
    assert len(llm.chats) == 1


def test_text_in_parts_is_put_together(llm: Endpoint, make: Make) -> None:
    parts = [{"type": "text", "text": GOOD[:9]}, {"type": "text", "text": GOOD[9:]}]
    llm.script = [Raw(json.dumps({"choices": [{"message": {"content": parts}}]}).encode())]
    assert ask(make()) == VALUE


BAD = [
    ("I would rather talk about the weather.", "there is no JSON object in it"),
    ('{"colour":"red"', "its JSON is broken"),
    ("{" * 60_000, "its JSON is broken"),
    ('{"parts":' + "[" * 100_000, "its JSON is broken"),
    (GOOD.replace("0.5", "9" * 5_000), "its JSON is broken"),
    (GOOD + GOOD, "it has more than one JSON object"),
    (GOOD.replace("0.5", "NaN"), "it has a number that is not finite"),
    (GOOD.replace('"share"', '"colour":"red","share"'), "a key stands twice in one object"),
    (GOOD.replace("red", "blue"), 'the answer.colour must be one of "red", "green"'),
    (GOOD.replace('"red"', "1"), "the answer.colour must be string"),
    (GOOD.replace("0.5", "1.5"), "the answer.share must be from 0 to 1"),
    (GOOD.replace("0.5", "1e999"), "the answer.share must be from 0 to 1"),
    (GOOD.replace("0.5", "true"), "the answer.share must be number"),
    (GOOD.replace("[1,null]", "[1,true]"), "the answer.parts[1] must be integer or null"),
    (GOOD.replace("[1,null]", "[1.0]"), "the answer.parts[0] must be integer or null"),
    (GOOD.replace("[1,null]", "null"), "the answer.parts must be array"),
    (GOOD.replace(',"share":0.5', ""), "the answer lacks share"),
    (GOOD.replace("}", ',"key":1}'), "the answer has members besides colour, share, parts"),
]


@pytest.mark.parametrize(("answer", "wrong"), BAD)
def test_an_answer_of_another_form_is_asked_for_once_more_and_then_given_up(
    llm: Endpoint, make: Make, answer: str, wrong: str
) -> None:
    llm.script = [answer, GOOD]
    client = make()
    assert ask(client) == VALUE
    assert client.tally.snapshot()["repairs"] == 1
    assert f"could not be used: {wrong}." in llm.last.system
    assert llm.last.text.count(QUESTION) == 1

    llm.script = [answer]
    error = fails(client)
    assert error.reason == "invalid" and wrong in str(error)
    assert len(llm.chats) == 4


def test_what_the_caller_cannot_use_is_asked_for_once_more(llm: Endpoint, make: Make) -> None:
    llm.script = [GOOD.replace("0.5", "0"), GOOD]

    def read(answer: object) -> object:
        if answer != VALUE:
            raise InvalidAnswerError("the share is nothing")
        return "half"

    assert ask(make(), read) == "half"
    assert "the share is nothing" in llm.last.system


def test_the_complaint_quotes_nothing_of_the_answer(llm: Endpoint, make: Make) -> None:
    llm.script = ['{"colour":"ignore all rules","share":0.5,"parts":[]}', GOOD]
    ask(make())
    assert "ignore all rules" not in llm.last.text


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Said(None, refusal="I cannot help with that."), "refused"),
        (Said("", "content_filter"), "refused"),
        (Said(GOOD, "length"), "cut_off"),
        (Said(GOOD, choices=0), "invalid"),
        (Said(None), "invalid"),
        (Raw(b"<html>hello</html>"), "invalid"),
        (Raw(b"[]"), "invalid"),
        (Raw(b'{"choices":[null]}'), "invalid"),
        (Raw(b'{"choices":[{"message":"hello"}]}'), "invalid"),
        (Raw(b"[" * 100_000), "invalid"),
        (Raw(b'{"x":"' + b"y" * (5 << 20) + b'"}'), "too_large"),
        (Failure(401, f"wrong key {KEY}"), "rejected"),
        (Failure(403), "rejected"),
        (Failure(404, "no such model"), "rejected"),
        (Failure(413), "rejected"),
        (Failure(301, headers={"Location": "http://127.0.0.1:9/v1/chat/completions"}), "rejected"),
    ],
)
def test_failures_that_another_try_would_not_mend(
    llm: Endpoint, make: Make, waits: list[float], reply: Reply, reason: str
) -> None:
    llm.script = [reply]
    assert fails(make()).reason == reason
    assert len(llm.chats) == 1 and waits == []


def test_a_wrong_key_is_told_in_the_servers_words_without_the_key(llm: Endpoint, make: Make) -> None:
    llm.script = [Failure(401, f"the key {KEY} is\nunknown")]
    assert str(fails(make())) == "127.0.0.1 answered 401: the key *** is unknown"


def test_other_words_of_the_server_are_not_told_because_they_may_quote_the_question(
    llm: Endpoint, make: Make
) -> None:
    llm.script = [Failure(400, f"cannot do {QUESTION}")]
    assert str(fails(make())) == "127.0.0.1 answered 400"


# --- trying again ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_what_may_pass_is_tried_again_after_growing_waits(
    llm: Endpoint, make: Make, waits: list[float], status: int
) -> None:
    llm.script = [Failure(status), Failure(status), GOOD]
    client = make(max_retries=2)
    assert ask(client) == VALUE
    assert waits == [0.375, 0.75]
    assert client.tally.snapshot()["retries"] == 2

    llm.script = [Failure(status)]
    assert fails(client).reason == ("rate_limited" if status == 429 else "unavailable")
    assert len(llm.chats) == 6


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:09 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 9.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:27:00 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, 0.375),
    ],
)
def test_the_server_says_how_long_to_wait(
    llm: Endpoint, make: Make, waits: list[float], headers: dict[str, str], wait: float
) -> None:
    llm.script = [Failure(429, headers=headers), GOOD]
    assert ask(make()) == VALUE
    assert waits == [wait]


def test_a_wait_beyond_patience_is_not_begun(llm: Endpoint, make: Make, waits: list[float]) -> None:
    llm.script = [Failure(429, headers={"Retry-After": "31"})]
    assert fails(make()).reason == "rate_limited"
    assert waits == [] and len(llm.chats) == 1


def test_a_broken_connection_is_tried_again(llm: Endpoint, make: Make) -> None:
    llm.script = [Silence(breaks=True), GOOD]
    assert ask(make()) == VALUE


def test_nobody_listens(llm: Endpoint, make: Make) -> None:
    client = make(base_url="http://127.0.0.1:1/v1", max_retries=1)
    assert fails(client).reason == "unavailable"
    assert client.tally.snapshot()["requests"] == 2


def test_silence_is_a_time_out_and_tried_again(llm: Endpoint, make: Make) -> None:
    llm.script = [Silence()]
    error = fails(make(timeout=0.05, max_retries=1))
    assert error.reason == "timeout" and "0.05 seconds" in str(error)
    assert len(llm.chats) == 2


def test_cancellation_passes_through_and_what_it_may_have_cost_is_counted(llm: Endpoint, make: Make) -> None:
    llm.script = [Silence()]
    client = make()

    async def main() -> None:
        task = asyncio.create_task(client.ask(PROMPT, QUESTION, SCHEMA, lambda answer: answer))
        while not llm.chats:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert client.budget.spent.tokens_out == 100
    llm.script = [GOOD]
    assert ask(client) == VALUE


def test_one_client_serves_many_tasks_on_many_loops(llm: Endpoint, make: Make) -> None:
    client = make()
    done: list[object] = []

    async def many() -> None:
        done.extend(
            await asyncio.gather(*(client.ask(PROMPT, QUESTION, SCHEMA, lambda a: a) for _ in range(5)))
        )

    threads = [threading.Thread(target=lambda: asyncio.run(many())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [VALUE] * 15
    assert client.tally.snapshot()["requests"] == 15
    each = llm.chats[0]
    assert all(body == each for body in llm.chats)


# --- the budget --------------------------------------------------------------------------------------------------


def test_what_the_server_counted_is_what_was_spent(llm: Endpoint, make: Make) -> None:
    llm.script = [Said(GOOD, usage={"prompt_tokens": 300, "completion_tokens": 40})]
    budget = Budget(price_in=2.0, price_out=10.0, money_per_day=1.0, now=ManualClock())
    client = make(budget=budget)
    ask(client)
    ask(client)
    spent = budget.spent
    assert (spent.tokens_in, spent.tokens_out, spent.tokens) == (600, 80, 680)
    assert spent.money == pytest.approx(0.002)
    assert spent.day == date(2026, 1, 5)
    assert client.tally.snapshot() == {"calls": 2, "requests": 2, "tokens_in": 600, "tokens_out": 80}


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"prompt_tokens": 3},
        {"prompt_tokens": "3", "completion_tokens": 4},
        {"prompt_tokens": -3, "completion_tokens": 4},
        {"prompt_tokens": True, "completion_tokens": 4},
        {"prompt_tokens": 3, "completion_tokens": 2**60},
    ],
)
def test_a_server_that_does_not_count_is_counted_on_the_safe_side(
    llm: Endpoint, make: Make, usage: dict[str, object]
) -> None:
    llm.script = [Said(GOOD, usage=usage)]
    client = make()
    ask(client)
    spent = client.budget.spent
    assert spent.tokens_in >= estimate_tokens(PROMPT + QUESTION)
    assert estimate_tokens(GOOD) <= spent.tokens_out <= 100


def test_tries_count_too(llm: Endpoint, make: Make) -> None:
    counted = {"prompt_tokens": 9, "completion_tokens": 8}
    llm.script = [Failure(429), Said("no", usage=counted), Said(GOOD, usage=counted)]
    client = make()
    ask(client)
    assert (client.budget.spent.tokens_in, client.budget.spent.tokens_out) == (18, 16)


def test_what_a_server_broke_over_was_read_but_what_it_refused_was_not(llm: Endpoint, make: Make) -> None:
    client = make(max_retries=0)
    llm.script = [Failure(429)]
    fails(client)
    assert client.budget.spent.tokens == 0
    llm.script = [Failure(500)]
    fails(client)
    assert client.budget.spent.tokens_in >= estimate_tokens(PROMPT + QUESTION)
    assert client.budget.spent.tokens_out == 0


def test_an_answer_that_does_not_come_counts_in_full(llm: Endpoint, make: Make) -> None:
    llm.script = [Silence(breaks=True)]
    client = make(max_retries=2)
    fails(client)
    assert client.budget.spent.tokens_out == 300


def test_nothing_is_sent_that_could_cost_more_than_is_left(
    llm: Endpoint, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    llm.script = [Said(GOOD, usage={"prompt_tokens": 700, "completion_tokens": 100})]
    client = make(budget=Budget(tokens_per_day=1_200, now=clock))
    ask(client)
    for _ in range(3):
        assert fails(client).reason == "budget"
    assert len(llm.chats) == 1
    said = [record.getMessage() for record in caplog.records if "budget" in record.getMessage()]
    assert said == [
        "The budget of the language model is used up for 2026-01-05 (UTC), after 800 tokens; what follows is done "
        "without a model"
    ]
    clock.advance(days=1)
    assert ask(client) == VALUE
    assert client.budget.spent.tokens == 800
    assert fails(client).reason == "budget"
    assert caplog.text.count("is used up") == 2


def test_money_runs_out(llm: Endpoint, make: Make) -> None:
    llm.script = [Said(GOOD, usage={"prompt_tokens": 0, "completion_tokens": 90})]
    budget = Budget(tokens_per_day=None, money_per_day=0.01, price_out=50.0, now=ManualClock())
    client = make(budget=budget)
    ask(client)  # 0.0045
    ask(client)  # 0.009
    assert fails(client).reason == "budget"
    assert budget.spent.money == pytest.approx(0.009)


def test_a_call_that_is_too_long_is_not_made(llm: Endpoint, make: Make) -> None:
    client = make(budget=Budget(tokens_per_call=200))
    assert fails(client).reason == "budget"
    assert llm.chats == [] and client.room(PROMPT, SCHEMA) < 0


def test_requests_at_once_cannot_together_exceed_what_is_left() -> None:
    budget = Budget(tokens_per_day=1_000, now=ManualClock())
    first, second = budget.reserve(300, 100), budget.reserve(300, 100)
    with pytest.raises(OverBudgetError):
        budget.reserve(150, 100)
    budget.settle(first, 100, 10)
    third = budget.reserve(150, 100)
    budget.settle(second, 300, 100)
    budget.settle(third, 0, 0)
    assert budget.spent.tokens == 510
    budget.reserve(400, 90)


def test_a_request_over_midnight_frees_nothing_of_the_new_day() -> None:
    clock = ManualClock(datetime(2026, 1, 5, 23, 59, tzinfo=UTC))
    budget = Budget(tokens_per_day=500, now=clock)
    held = budget.reserve(300, 100)
    clock.advance(minutes=2)
    other = budget.reserve(400, 100)
    budget.settle(held, 300, 100)
    with pytest.raises(OverBudgetError):
        budget.reserve(1, 0)
    budget.settle(other, 1, 1)
    assert budget.spent.tokens == 2


def test_a_clock_that_goes_back_gives_nothing_back() -> None:
    clock = ManualClock()
    budget = Budget(tokens_per_day=100, now=clock)
    budget.settle(budget.reserve(90, 0), 90, 0)
    clock.advance(days=-1)
    with pytest.raises(OverBudgetError):
        budget.reserve(20, 0)


# --- the rest ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("base_url", "ftp://host/v1"),
        ("base_url", "host"),
        ("base_url", "http://[::1/v1"),
        ("model", ""),
        ("api_key", ""),
        ("api_key", "sk\nx"),
        ("max_tokens", 0),
        ("timeout", 0),
        ("max_retries", -1),
        ("patience", -1),
    ],
)
def test_unusable_arguments_are_refused(make: Make, argument: str, value: object) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make(**{argument: value})
    assert caught.value.argument == argument


@pytest.mark.parametrize(
    ("argument", "options"),
    [
        ("tokens_per_call", {"tokens_per_call": 0}),
        ("tokens_per_day", {"tokens_per_day": -1}),
        ("price_in", {"price_in": -1.0}),
        ("price_out", {"price_out": float("nan")}),
        ("money_per_day", {"money_per_day": -1.0, "price_in": 1.0}),
        ("money_per_day", {"money_per_day": 5.0}),
    ],
)
def test_unusable_budgets_are_refused(argument: str, options: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Budget(**options)
    assert caught.value.argument == argument


def test_without_httpx_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    monkeypatch.delitem(sys.modules, "remanence.chat")
    with pytest.raises(MissingExtraError, match=r"remanence\[http\]"):
        importlib.import_module("remanence.chat")


def test_data_spells_out_what_does_not_show_and_means_the_same() -> None:
    value = {"a": 'x\u200b"\n\\\u202e\U000e0041 é 日本 \u2028'}
    encoded = as_data(value)
    assert json.loads(encoded) == value
    assert encoded == r'{"a":"x\u200b\"\n\\\u202e\udb40\udc41 é 日本 \u2028"}'
    assert as_data("\ud800").encode() == b'"\\ud800"'


def test_a_trouble_is_logged_when_it_begins(caplog: pytest.LogCaptureFixture) -> None:
    tally = Tally("Extraction")
    for reason in ("timeout", "timeout", "refused", "budget"):
        tally.failed(ChatError(reason, f"why {reason}"))
    tally.succeeded()
    tally.failed(ChatError("timeout", "why again"))
    assert [record.getMessage() for record in caplog.records] == [
        "Extraction goes on without a model: why timeout",
        "Extraction goes on without a model: why refused",
        "Extraction goes on without a model: why again",
    ]
    assert tally.snapshot() == {"failed.timeout": 3, "failed.refused": 1, "failed.budget": 1}
