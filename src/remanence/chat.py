"""A language model behind any server that speaks OpenAI's `/v1/chat/completions`, asked for JSON within a budget.

For extractors and judges, which have an answer of their own when this one fails: every failure is a ChatError.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import re
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

from remanence.budget import Budget, OverBudgetError
from remanence.domain.text import estimate_tokens
from remanence.errors import InvalidInputError, MissingExtraError

try:
    import httpx
except ImportError as missing:
    raise MissingExtraError(
        'A language model needs httpx, which is not installed: pip install "remanence[http]"'
    ) from missing

if TYPE_CHECKING:
    import ssl

log = logging.getLogger("remanence")

T = TypeVar("T")
Json = Any
Schema = Mapping[str, Any]
"""JSON Schema, of which `type`, `enum`, `properties`, `items`, `minimum` and `maximum` are used: every property is
required, and no other is allowed."""

Reason = Literal[
    "budget",  # it would have cost more than is allowed
    "timeout",  # no answer in time
    "unavailable",  # no connection, or the server failed
    "rate_limited",  # too many requests, for longer than we wait
    "rejected",  # the server does not take the request
    "refused",  # the model does not want to, or its answer was held back
    "cut_off",  # the answer was longer than max_tokens
    "too_large",  # the server sent more than any answer can be
    "invalid",  # the answer is not what was asked for, the second time too
]

_FIRST_WAIT: Final = 0.5
_RETRIED: Final = frozenset({408, 409, 429})
_LARGEST: Final = 4 << 20
_SHOWN: Final = 200
_OVERHEAD: Final = (
    160  # tokens of a request besides prompt, question and schema: roles, names, what was wrong before
)


class ChatError(Exception):
    """The model gave no usable answer; `reason` is why. It quotes neither the key nor what was asked or answered."""

    def __init__(self, reason: Reason, why: str) -> None:
        self.reason: Reason = reason
        super().__init__(why)


class InvalidAnswerError(Exception):
    """The answer is not of the form asked for. The message is shown to the model, so it quotes nothing of it."""


# --- what happened -----------------------------------------------------------------------------------------------


class Tally:
    """Counts by name, from any thread; a trouble is logged when it begins, not each time."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._trouble: str | None = None

    def add(self, name: str, count: int = 1) -> None:
        with self._lock:
            self._counts[name] += count

    def failed(self, error: ChatError) -> None:
        """Count a failure by its reason."""
        with self._lock:
            self._counts[f"failed.{error.reason}"] += 1
            begins, self._trouble = self._trouble != error.reason, error.reason
        if begins and error.reason != "budget":  # which says that itself, once a day
            log.warning("%s goes on without a model: %s", self._what, error)

    def succeeded(self) -> None:
        with self._lock:
            self._trouble = None

    def snapshot(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)


# --- what is sent and read ---------------------------------------------------------------------------------------

# Soft hyphens, joiners, marks of direction, line separators, tags, lone surrogates: models see them, people do not.
_UNSEEN: Final = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def as_data(value: Json) -> str:
    """JSON for a question: no text in it can end it, and what does not show is spelled out."""
    return _UNSEEN.sub(_spelled, json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _spelled(found: re.Match[str]) -> str:
    return json.dumps(found.group())[1:-1]


@dataclass(frozen=True, slots=True)
class _Form:
    """What a server takes: how JSON is asked for, what the bound of an answer is called, whether heat can be set."""

    format: Literal["json_schema", "json_object", "text"] = "json_schema"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: bool = True

    def weaker(self, words: str) -> _Form | None:
        """What to try after a server refused this with these words; None: nothing is left to give up."""
        if self.limit == "max_tokens" and "max_completion_tokens" in words:
            return replace(self, limit="max_completion_tokens")
        if self.temperature and "temperature" in words:
            return replace(self, temperature=False)
        if self.format == "json_schema":
            return replace(self, format="json_object")
        return replace(self, format="text") if self.format == "json_object" else None


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    headers: httpx.Headers
    content: bytes


class ChatClient:
    """Asks the `model` at `POST {base_url}/chat/completions`; `base_url` usually ends in `/v1`.

    An attempt may take `timeout` seconds and answer `max_tokens` tokens. After a time-out, a lost connection or status
    408, 409, 429 or 5xx it is repeated up to `max_retries` times, waiting as long as Retry-After says, or else 0.5,
    1, 2, … seconds less up to half by chance; it gives up at once when that is longer than `patience` seconds.
    Structured output is asked for as a schema, from a server that does not take it as a JSON object, then as text.
    Redirects are not followed, so the key stays with the server it is for; it appears in no message.

    Each attempt has a connection of its own: safe in any tasks, event loops and threads. `sleep` (seconds) and `chance`
    (0..1) are for tests. Raises InvalidInputError for unusable arguments.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        *,
        budget: Budget | None = None,
        max_tokens: int = 2_000,
        timeout: float = 60.0,
        max_retries: int = 2,
        patience: float = 30.0,
        tally: Tally | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if not model:
            raise InvalidInputError("model", "is empty; name the model that the server is to use")
        if max_tokens < 1:
            raise InvalidInputError("max_tokens", "must be at least 1")
        if not timeout > 0:
            raise InvalidInputError("timeout", "must be more than 0 seconds")
        if max_retries < 0:
            raise InvalidInputError("max_retries", "must be 0 or more")
        if not patience >= 0:
            raise InvalidInputError("patience", "must be 0 seconds or more")
        # httpx would quote an illegal header value in its error.
        if api_key is not None and not (api_key and api_key.isascii() and api_key.isprintable()):
            raise InvalidInputError("api_key", "must be printable ASCII without line breaks")
        self.model = model
        self.budget = budget or Budget()
        self.max_tokens = max_tokens
        self.tally = tally or Tally("A user of a language model")
        self._url, self._auth = _address(base_url)
        self._key = api_key
        self._timeout = timeout
        self._max_retries = max_retries
        self._patience = patience
        self._sleep = sleep
        self._chance = chance
        self._form = _Form()
        self._trust: ssl.SSLContext | None = None

    @property
    def server(self) -> str:
        """The host that is asked."""
        return self._url.host

    def __repr__(self) -> str:
        return f"{type(self).__name__}(server={self.server!r}, model={self.model!r})"

    def room(self, prompt: str, schema: Schema) -> int:
        """How many tokens a question may have to stay within the bound of a call."""
        return self.budget.tokens_per_call - self._frame(prompt, schema) - self.max_tokens

    async def ask(self, prompt: str, question: str, schema: Schema, read: Callable[[Json], T]) -> T:
        """What `read` makes of the model's answer, which conforms to `schema`. Any failure is a ChatError.

        `prompt` says what to do, `question` is data. An answer that does not conform, or for which `read` raises
        InvalidAnswerError, is asked for once more, with what was wrong about it.
        """
        tokens = self._frame(prompt, schema) + estimate_tokens(question)
        self.tally.add("calls")
        try:
            return read(_parsed(await self._said(prompt, question, schema, tokens), schema))
        except InvalidAnswerError as wrong:
            self.tally.add("repairs")
            again = f"{prompt}\n\nAn earlier answer could not be used: {wrong}. Answer in the form asked for."
        try:
            return read(_parsed(await self._said(again, question, schema, tokens), schema))
        except InvalidAnswerError as wrong:
            raise ChatError(
                "invalid", f"{self.model} on {self.server} answered twice in another form: {wrong}"
            ) from None

    def _frame(self, prompt: str, schema: Schema) -> int:
        return estimate_tokens(prompt) + estimate_tokens(_compact(schema)) + _OVERHEAD

    async def _said(self, prompt: str, question: str, schema: Schema, tokens: int) -> str:
        """The text of the answer, after retries."""
        form, attempt = self._form, 0
        while True:
            wait = _FIRST_WAIT * 2**attempt * (1 - self._chance() / 2)
            try:
                response = await self._attempt(form, prompt, question, schema, tokens)
            except ChatError as failure:
                if failure.reason not in ("timeout", "unavailable"):
                    raise
                error = failure
            else:
                if response.status == HTTPStatus.OK:
                    self._form = form  # what worked is tried first from now on
                    return self._text(response)
                words = _words(response)
                if response.status in (400, 422) and (weaker := form.weaker(words)):
                    form = weaker
                    continue
                error = self._refusal(response, words)
                if response.status not in _RETRIED and response.status < 500:
                    raise error
                said = _retry_after(response)
                wait = wait if said is None else said
            if attempt >= self._max_retries or wait > self._patience:
                raise error
            self.tally.add("retries")
            await self._sleep(wait)
            attempt += 1

    async def _attempt(
        self, form: _Form, prompt: str, question: str, schema: Schema, tokens: int
    ) -> _Response:
        """One request within the budget, whatever status it has."""
        try:
            held = self.budget.reserve(tokens, self.max_tokens)
        except OverBudgetError as over:
            raise ChatError("budget", str(over)) from None
        # Nobody knows how much of an answer that did not arrive was made: it counts in full.
        used = (tokens, self.max_tokens)
        self.tally.add("requests")
        try:
            response = await self._post(self._body(form, prompt, question, schema))
            if response.status == HTTPStatus.OK:
                used = _usage(response.content) or (tokens, min(self.max_tokens, len(response.content)))
            else:  # refused before a model read it, or broken while one did
                used = (0 if response.status < 500 else tokens, 0)
            return response
        finally:
            self.budget.settle(held, *used)
            self.tally.add("tokens_in", used[0])
            self.tally.add("tokens_out", used[1])

    def _body(self, form: _Form, prompt: str, question: str, schema: Schema) -> dict[str, Json]:
        body: dict[str, Json] = {"model": self.model}
        if form.format == "json_schema":
            asked = {"name": "answer", "strict": True, "schema": _strict(schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": asked}
        else:
            prompt += (
                f"\n\nAnswer with one JSON object that conforms to this JSON Schema:\n{_compact(schema)}"
            )
            if form.format == "json_object":
                body["response_format"] = {"type": "json_object"}
        body["messages"] = [{"role": "system", "content": prompt}, {"role": "user", "content": question}]
        body[form.limit] = self.max_tokens
        if form.temperature:
            body["temperature"] = 0
        return body

    async def _post(self, body: Mapping[str, Json]) -> _Response:
        # Encoded answers could be small on the wire and endless in memory.
        headers = {"Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        if self._trust is None:
            self._trust = httpx.create_ssl_context()
        try:
            async with (
                asyncio.timeout(self._timeout),
                # One for each request: a client belongs to the event loop that used it first.
                httpx.AsyncClient(verify=self._trust, timeout=self._timeout) as client,
                client.stream("POST", self._url, json=body, headers=headers, auth=self._auth) as response,
            ):
                content = bytearray()
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > _LARGEST:
                        raise ChatError("too_large", f"{self.server} answered more than {_LARGEST:,} bytes")
                return _Response(response.status_code, response.headers, bytes(content))
        except (TimeoutError, httpx.TimeoutException):
            raise ChatError("timeout", f"{self.server} did not answer in {self._timeout:g} seconds") from None
        except httpx.HTTPError as error:
            raise ChatError(
                "unavailable", f"{self.server} cannot be reached ({type(error).__name__})"
            ) from None

    def _refusal(self, response: _Response, words: str) -> ChatError:
        status = response.status
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return ChatError("rate_limited", f"{self.server} answered 429: too many requests")
        if status in (408, 409) or status >= 500:
            return ChatError("unavailable", f"{self.server} answered {status}")
        if status not in (401, 403, 404):  # others may quote what was asked
            return ChatError("rejected", f"{self.server} answered {status}")
        if self._key:
            words = words.replace(self._key, "***")
        return ChatError("rejected", f"{self.server} answered {status}: {words[:_SHOWN]}")

    def _text(self, response: _Response) -> str:
        """What the model said. ChatError if it said nothing, refused, or did not come to an end."""
        who = f"{self.model} on {self.server}"
        try:
            choice = json.loads(response.content)["choices"][0]
            message = choice["message"]
            ended, text, refusal = choice.get("finish_reason"), message.get("content"), message.get("refusal")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
            raise ChatError("invalid", f"{self.server} answered something that is no completion") from None
        if refusal or ended == "content_filter":
            raise ChatError("refused", f"{who} refused to answer")
        if ended == "length":
            raise ChatError("cut_off", f"{who} needs more than max_tokens={self.max_tokens} for its answer")
        if isinstance(text, list):
            parts = cast("list[Json]", text)
            text = "".join(str(cast(Json, part).get("text", "")) for part in parts if isinstance(part, dict))
        if not isinstance(text, str):
            raise ChatError("invalid", f"{who} answered without text")
        return text


def _address(base_url: str) -> tuple[httpx.URL, httpx.BasicAuth | None]:
    """Where to ask, and the name and password that stood in the address; httpx would write them to its log."""
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise InvalidInputError("base_url", "is not a URL") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidInputError("base_url", "must start with http:// or https:// and name a host")
    auth = httpx.BasicAuth(url.username, url.password) if url.userinfo else None
    return url.copy_with(userinfo=b"", path=url.path.rstrip("/") + "/chat/completions"), auth


def _retry_after(response: _Response) -> float | None:
    """Seconds the server asks for, as a number or as a date against its own clock; None if it does not say."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isdecimal() and said.isascii():
        return float(said)
    try:
        wait = parsedate_to_datetime(said) - parsedate_to_datetime(response.headers["Date"])
    except (ValueError, KeyError, TypeError):
        return None
    return max(0.0, wait.total_seconds())


def _words(response: _Response) -> str:
    """The server's own words about what is wrong, on one line."""
    words = response.content.decode(errors="replace")
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        words = str(json.loads(words)["error"]["message"])
    return " ".join(words.split())


def _usage(content: bytes) -> tuple[int, int] | None:
    """The tokens in and out that the server counted, None if it says nothing usable."""
    try:
        usage = json.loads(content)["usage"]
        counted = usage["prompt_tokens"], usage["completion_tokens"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    into, out = counted
    if type(into) is int and type(out) is int and 0 <= into < 2**40 and 0 <= out < 2**40:
        return into, out
    return None


# --- the form of an answer ---------------------------------------------------------------------------------------


def _parsed(text: str, schema: Schema) -> Json:
    """The JSON object in an answer, strictly: of the schema, no key twice, no numbers that JSON does not know."""
    text = text.rpartition("</think>")[2]  # some models think aloud where a server does not take that out
    start = text.find("{")
    if start < 0:
        raise InvalidAnswerError("there is no JSON object in it")
    decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
    try:
        value, end = decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        raise InvalidAnswerError("its JSON is broken") from None
    if "{" in text[end:]:
        raise InvalidAnswerError("it has more than one JSON object")
    _check(value, schema, "the answer")
    return value


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidAnswerError("a key stands twice in one object")
    return found


def _no_number(_: str) -> Json:
    raise InvalidAnswerError("it has a number that is not finite")


_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def _check(value: Json, schema: Schema, where: str) -> None:
    """InvalidAnswerError unless the value conforms."""
    asked = schema["type"]
    names: Sequence[str] = [asked] if isinstance(asked, str) else asked
    fits = any(isinstance(value, _TYPES[name]) for name in names)
    if not fits or (isinstance(value, bool) and "boolean" not in names):
        raise InvalidAnswerError(f"{where} must be {' or '.join(names)}")
    if "enum" in schema and value not in schema["enum"]:
        known = ", ".join(json.dumps(each) for each in schema["enum"])
        raise InvalidAnswerError(f"{where} must be one of {known}")
    if isinstance(value, (int, float)) and not (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
    ):
        raise InvalidAnswerError(f"{where} must be from {schema.get('minimum')} to {schema.get('maximum')}")
    if isinstance(value, dict):
        members = cast("dict[str, Json]", value)
        properties: Mapping[str, Schema] = schema["properties"]
        if absent := [name for name in properties if name not in members]:
            raise InvalidAnswerError(f"{where} lacks {', '.join(absent)}")
        if len(members) > len(properties):
            raise InvalidAnswerError(f"{where} has members besides {', '.join(properties)}")
        for name, inner in properties.items():
            _check(members[name], inner, f"{where}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Json]", value)):
            _check(item, schema["items"], f"{where}[{index}]")


def _strict(schema: Schema) -> dict[str, Json]:
    """The schema as servers take it in strict mode: all required, nothing else, and no bounds of numbers."""
    sent: dict[str, Json] = {key: value for key, value in schema.items() if key not in ("minimum", "maximum")}
    if "items" in sent:
        sent["items"] = _strict(sent["items"])
    if "properties" in sent:
        sent["properties"] = {name: _strict(inner) for name, inner in sent["properties"].items()}
        sent |= {"required": list(sent["properties"]), "additionalProperties": False}
    return sent


def _compact(schema: Schema) -> str:
    return json.dumps(_strict(schema), ensure_ascii=False, separators=(",", ":"))
