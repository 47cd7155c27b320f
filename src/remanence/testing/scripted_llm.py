"""An OpenAI-compatible server on loopback whose answers a function decides; for tests and demos.

It speaks chat completions (tools, legacy functions, server-sent events) and embeddings. No model, no network. It
misbehaves as a script says: errors with any header, answers cut off, refused, empty or no JSON at all, or none.
"""

import base64
import hashlib
import itertools
import json
import math
import re
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Answer by calling a tool (or, if the request offers none but functions, a legacy function)."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Failure:
    """Answer with an HTTP error, and headers such as Retry-After."""

    status: int = 500
    message: str = "scripted failure"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Said:
    """Answer with text that ends as `finish_reason` says: `length` is cut off, `content_filter` is held back.

    `refusal` stands where servers with structured output put one. `usage` replaces the tokens counted; an empty one
    is left out. `choices` is how many choices the answer has.
    """

    text: str | None
    finish_reason: str = "stop"
    refusal: str | None = None
    usage: Mapping[str, Any] | None = None
    choices: int = 1


@dataclass(frozen=True, slots=True)
class Raw:
    """Answer with these bytes, whatever they are."""

    content: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Silence:
    """Do not answer: keep the connection open until the server closes, or break it at once."""

    breaks: bool = False


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request body, with the questions a script asks of it."""

    body: Json

    @property
    def messages(self) -> list[Json]:
        return cast("list[Json]", self.body.get("messages", []))

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def text(self) -> str:
        """All the text of all messages, in order: everything the model was told."""
        return "\n".join(text_of(message) for message in self.messages)

    @property
    def system(self) -> str:
        return "\n".join(text_of(message) for message in self.messages if message.get("role") == "system")

    @property
    def last(self) -> Json:
        return self.messages[-1] if self.messages else {}

    @property
    def last_user(self) -> str:
        """The text of the newest user message, "" if there is none."""
        said = [text_of(message) for message in self.messages if message.get("role") == "user"]
        return said[-1] if said else ""

    @property
    def tools(self) -> list[str]:
        """Names of the tools or legacy functions on offer."""
        tools = cast("list[Json]", self.body.get("tools") or [])
        functions = cast("list[Json]", self.body.get("functions") or [])
        return [str(offer["name"]) for offer in [*(tool["function"] for tool in tools), *functions]]

    def tool(self, prefix: str) -> str | None:
        """The first tool whose name starts with `prefix`."""
        return next((name for name in self.tools if name.startswith(prefix)), None)

    @property
    def answers_tools(self) -> bool:
        """Whether the newest message is the result of a tool call."""
        return self.last.get("role") in ("tool", "function")


Spoken = str | ToolCall | Sequence[ToolCall] | Said
Reply = Spoken | Failure | Raw | Silence
Behaviour = Callable[[ChatRequest], Reply]


def text_of(message: Json) -> str:
    """The text of one message, whether its content is a string, a list of parts, or missing."""
    content = message.get("content")
    if isinstance(content, list):
        parts = cast("list[Any]", content)
        return "\n".join(str(part.get("text", "")) if isinstance(part, dict) else str(part) for part in parts)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return "" if content is None else str(content)


class ScriptedLLM:
    """The server: `with ScriptedLLM(lambda request: "hello") as llm:` … `llm.base_url`.

    `chats` holds the bodies of the chat requests received, so that a test asserts on what the model saw, `headers`
    what came with each, names in lower case.
    A behaviour that raises answers 400 and the exception is raised again on leaving the context.
    """

    def __init__(self, behaviour: Behaviour, *, dimension: int = 256) -> None:
        self.behaviour = behaviour
        self.dimension = dimension
        self.chats: list[Json] = []
        self.headers: list[dict[str, str]] = []
        self.embeddings: list[Json] = []
        self.errors: list[BaseException] = []
        self.closing = threading.Event()
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.llm = self
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="scripted-llm",
            daemon=True,
        )

    @property
    def base_url(self) -> str:
        """The address to give as `base_url` (or OPENAI_BASE_URL)."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def requests(self) -> list[ChatRequest]:
        return [ChatRequest(body) for body in self.chats]

    @property
    def last(self) -> ChatRequest:
        return ChatRequest(self.chats[-1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None and self.errors:
            raise self.errors[0]

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    # -- used by the handler

    def answer(self, body: Json, headers: Mapping[str, str] | None = None) -> Reply:
        with self._lock:
            self.chats.append(body)
            self.headers.append({name.lower(): value for name, value in (headers or {}).items()})
        try:
            return self.behaviour(ChatRequest(body))
        except Exception as error:  # noqa: BLE001 (raised again in __exit__)
            self.errors.append(error)
            return Failure(400, f"the script failed: {error!r}")  # 400, because clients retry a 500

    def completion(self, body: Json, reply: Spoken) -> Json:
        message, reason = self._message(body, reply)
        prompt = len(json.dumps(body.get("messages", []))) // 4
        spoken = len(json.dumps(message)) // 4
        counted: Mapping[str, Any] = {
            "prompt_tokens": prompt,
            "completion_tokens": spoken,
            "total_tokens": prompt + spoken,
        }
        choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
        choices = [choice]
        if isinstance(reply, Said):
            counted = counted if reply.usage is None else reply.usage
            choices = [choice | {"index": index} for index in range(reply.choices)]
        return {
            "id": f"chatcmpl-{next(self._ids)}",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": body.get("model", "scripted"),
            "choices": choices,
            **({"usage": dict(counted)} if counted else {}),
        }

    def _message(self, body: Json, reply: Spoken) -> tuple[Json, str]:
        if isinstance(reply, str):
            return {"role": "assistant", "content": reply}, "stop"
        if isinstance(reply, Said):
            refused = {} if reply.refusal is None else {"refusal": reply.refusal}
            return {"role": "assistant", "content": reply.text, **refused}, reply.finish_reason
        calls = [reply] if isinstance(reply, ToolCall) else list(reply)
        functions = [{"name": call.name, "arguments": json.dumps(call.arguments)} for call in calls]
        if body.get("functions") and not body.get("tools"):
            return {"role": "assistant", "content": None, "function_call": functions[0]}, "function_call"
        tools = [
            {"id": f"call_{next(self._ids)}", "type": "function", "function": each} for each in functions
        ]
        return {"role": "assistant", "content": None, "tool_calls": tools}, "tool_calls"

    def chunks(self, body: Json, reply: Spoken) -> Iterator[Json]:
        """The completion as streamed chunks, word by word, with usage at the end when asked for."""
        whole = self.completion(body, reply)
        head = {key: whole[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
        message, reason = self._message(body, reply)

        def chunk(delta: Json, finish: str | None = None) -> Json:
            return head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": None}

        yield chunk({"role": "assistant", "content": "" if message.get("content") is not None else None})
        if message.get("content") is not None:
            for piece in re.findall(r"\S+\s*|\s+", message["content"]):
                yield chunk({"content": piece})
        for index, call in enumerate(message.get("tool_calls", [])):
            yield chunk({"tool_calls": [{"index": index, **call}]})
        if "function_call" in message:
            yield chunk({"function_call": message["function_call"]})
        yield chunk({}, reason)
        if cast(Json, body.get("stream_options") or {}).get("include_usage"):
            yield head | {"choices": [], "usage": whole.get("usage")}

    def embed(self, body: Json) -> Json:
        with self._lock:
            self.embeddings.append(body)
        asked = body.get("input", [])
        texts = [asked] if isinstance(asked, str) else cast("list[str]", asked)
        vectors = [bag_of_words(text, int(body.get("dimensions") or self.dimension)) for text in texts]
        encode = _base64 if body.get("encoding_format") == "base64" else list[float]
        data = [{"object": "embedding", "index": i, "embedding": encode(v)} for i, v in enumerate(vectors)]
        used = sum(len(text.split()) for text in texts)
        usage = {"prompt_tokens": used, "total_tokens": used}
        return {"object": "list", "data": data, "model": body.get("model", "scripted"), "usage": usage}


def bag_of_words(text: str, dimension: int) -> list[float]:
    """A unit vector from the hashed words of a text: equal texts are equal, shared words are near."""
    vector = [0.0] * dimension
    for word in re.findall(r"\w+", text.lower()):
        vector[int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest()) % dimension] += 1.0
    norm = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / norm for value in vector]


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # clients keep connections open; waiting for them would hang
    request_queue_size = 128  # five, as by default, are too few for tasks that ask at once
    llm: ScriptedLLM

    def handle_error(self, request: object, client_address: object) -> None:
        """Quiet about clients that hang up, as they do after a time-out."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # pyright: ignore[reportArgumentType]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._json(200, {"object": "list", "data": [{"id": "scripted", "object": "model"}]})

    def do_POST(self) -> None:
        llm = cast(_Server, self.server).llm
        body = cast(Json, json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}"))
        if self.path.endswith("/embeddings"):
            self._json(200, llm.embed(body))
        elif not self.path.endswith("/chat/completions"):
            self._fail(404, f"no such path: {self.path}")
        else:
            self._chat(llm, body, llm.answer(body, dict(self.headers)))

    def _chat(self, llm: ScriptedLLM, body: Json, reply: Reply) -> None:
        if isinstance(reply, Failure):
            self._fail(reply.status, reply.message, reply.headers)
        elif isinstance(reply, Raw):
            self._send(reply.status, reply.content, reply.headers)
        elif isinstance(reply, Silence):
            if not reply.breaks:
                llm.closing.wait()
            self.close_connection = True
        elif body.get("stream"):
            self._stream(llm.chunks(body, reply))
        else:
            self._json(200, llm.completion(body, reply))

    def _fail(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        told = {"error": {"message": message, "type": "scripted", "code": None, "param": None}}
        self._send(status, json.dumps(told).encode(), headers or {})

    def _json(self, status: int, value: Json) -> None:
        self._send(status, json.dumps(value).encode(), {})

    def _send(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        if "Date" in headers:
            self.send_response_only(status)
        else:
            self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | dict(headers)).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, chunks: Iterator[Json]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: tests own the output."""
