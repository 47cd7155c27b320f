"""One frozen Settings, read once at the edge: arguments, REMANENCE_* variables, a TOML file, defaults."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from remanence.domain.validation import MAX_CONTENT
from remanence.errors import InvalidInputError

PREFIX = "REMANENCE_"
CONFIG_VARIABLE = "REMANENCE_CONFIG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be set, each also as REMANENCE_<NAME> or in the file named by REMANENCE_CONFIG."""

    db: str = ""
    """Path of the database, or `:memory:`. Empty: `memory.db` in the platform's data directory."""
    tenant: str = "local"
    """Owner of the data."""
    profile: str = "default"
    """Ranking profile: `default`, `isolated` or `kronvex`."""
    half_lives: str = ""
    """After how long memories of a type are held half as strongly, such as `fact=365d, context=2w`; see ADR 0017."""
    late_interaction: bool = True
    """Whether the built-in embedder keeps small vectors of words, which recall compares for the best candidates."""
    tokenizer: str = "estimate"
    """Counts the tokens of context blocks: `estimate` (on the safe side), or a tiktoken encoding or model name."""
    max_content: int = MAX_CONTENT
    """Most characters one memory may have."""
    ttl_defaults: str = "temporary=1d, context=30d"
    """After how long memories of a type expire that are given no `ttl` and not pinned; types not named never do."""
    session_idle_days: int = 1
    """Days without a word after which `consolidate` takes a session for ended."""
    cache_bytes: int = 1 << 30
    """Bound of the search cache per database."""
    embedder: Literal["minilm", "openai", "hashing"] = "minilm"
    """`minilm` is built in and offline; `openai` calls any OpenAI-compatible endpoint; `hashing` is for tests."""
    embedder_url: str = ""
    """Base URL of the `openai` embedder, up to and including `/v1`."""
    embedder_model: str = ""
    """Model of the `openai` embedder."""
    embedder_dimension: int = 0
    """Dimension of the `openai` embedder's vectors."""
    embedder_api_key: str = ""
    """Key for the `openai` embedder, if it wants one."""

    # -- what is learned and kept
    extractor: Literal["rules", "llm", "verbatim"] = "rules"
    """Finds in conversations what is worth keeping: `rules` without a model, `llm` with one; `verbatim` keeps all."""
    contradictions: bool = True
    """Whether what is remembered is compared with what is near it, to reinforce, supersede, or note a conflict."""
    screen: bool = True
    """Whether texts that are aimed at the model are kept out of recall until a person looks at them."""
    redact: bool = True
    """Whether keys, tokens, passwords and card numbers are taken out before a memory is stored."""

    judge: Literal["rules", "llm"] = "rules"
    """Who says how a memory stands to those near it: `rules`, or a model that confirms or corrects them."""
    llm_url: str = ""
    """Base URL of the `llm` extractor and judge, up to and including `/v1`."""
    llm_model: str = ""
    """Their model."""
    llm_api_key: str = ""
    """Key for them, if the endpoint wants one."""
    llm_timeout: int = 60
    """Seconds that one question to the model may take."""
    llm_tokens_per_call: int = 16_000
    """Most tokens of one question with its answer."""
    llm_tokens_per_day: int = 1_000_000
    """Most tokens of a day (UTC) in this process; then the rules serve."""
    llm_cents_per_day: int = 0
    """Most cents of a day. 0: no limit; else the two prices are needed."""
    llm_cents_in: int = 0
    """Price of a million tokens sent, in cents."""
    llm_cents_out: int = 0
    """Price of a million tokens answered, in cents."""

    # -- a memory on a server
    url: str = ""
    """Address of a server, such as `http://host:8420`. Empty: the memory is embedded, in `db`."""
    api_key: str = ""
    """Key for that server."""
    timeout: int = 30
    """Seconds that a call to the server may take."""
    spool: str = ""
    """Path of a file where what is remembered waits while the server is away. Empty: then remembering fails."""

    # -- serving
    host: str = "127.0.0.1"
    """Address that `remanence serve` listens on. Beyond this machine it needs a key first."""
    port: int = 8420
    """Port that it listens on. 0: any that is free, which it says."""
    workers: int = 1
    """Processes that serve."""
    drain_seconds: int = 30
    """How long a server that was asked to stop waits for requests under way."""
    max_body: int = 8 << 20
    """Most bytes of a request's body."""
    max_headers: int = 64
    """Most headers of a request."""
    idle_seconds: int = 15
    """How long a client may take to send a request, or keep a connection without one, or not read an answer.

    A body may take longer as long as 16 KiB come every second.
    """
    allowed_hosts: str = ""
    """Names, separated by commas, that the `Host` header may have besides this machine's. `*`: any."""
    cors_origins: str = ""
    """Origins, separated by commas, whose pages may call the server. Empty: none."""
    log_format: Literal["auto", "console", "json"] = "auto"
    """Lines of the server's log; `auto`: JSON unless written to a terminal."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least important lines that are written."""

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _typed(field, getattr(self, field.name)))

    def __repr__(self) -> str:
        shown = ((f.name, _shown(f.name, getattr(self, f.name))) for f in fields(self))
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown)})"

    @property
    def path(self) -> Path | None:
        """Where the database is; None means in memory."""
        if self.db == ":memory:":
            return None
        if "\0" in self.db:
            raise InvalidInputError("db", "contains a NUL character")
        try:
            return Path(self.db).expanduser() if self.db else default_path()
        except RuntimeError as error:
            raise InvalidInputError("db", f"{self.db!r}: {error}") from error


def _shown(name: str, value: object) -> object:
    """A setting as anybody may see it: without keys, and without the password in an address."""
    if name.endswith("_key"):
        return "***" if value else value
    if (name == "url" or name.endswith("_url")) and isinstance(value, str):
        return re.sub(r"(?<=//)[^/@]*@", "***@", value)
    return value


def default_path() -> Path:
    """`memory.db` in the platform's data directory for this user."""
    from platformdirs import user_data_path  # deferred: only needed when no path was chosen

    return user_data_path("remanence", appauthor=False) / "memory.db"


def load(environ: Mapping[str, str] | None = None, **arguments: Any) -> Settings:
    """Settings from arguments (None: not given), environment and file.

    InvalidInputError for unknown names or bad values.
    """
    environ = os.environ if environ is None else environ
    given: dict[str, Any] = {}
    if file := environ.get(CONFIG_VARIABLE):
        given |= _from_file(Path(file).expanduser())
    kinds = {f.name: f for f in fields(Settings)}
    for variable, value in environ.items():
        if variable.startswith(PREFIX) and variable != CONFIG_VARIABLE:
            name = variable.removeprefix(PREFIX).lower()
            if name not in kinds:
                known = ", ".join(sorted(f"{PREFIX}{n.upper()}" for n in kinds))
                raise InvalidInputError(
                    variable, f"is no setting of Remanence; known are {known}, {CONFIG_VARIABLE}"
                )
            given[name] = value
    given |= {name: value for name, value in arguments.items() if value is not None}
    return Settings(**given)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(CONFIG_VARIABLE, f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(CONFIG_VARIABLE, f"{path} is not valid TOML: {error}") from error
    if unknown := sorted(set(content) - {f.name for f in fields(Settings)}):
        raise InvalidInputError(unknown[0], f"in {path} is no setting of Remanence")
    return content


_MAY_BE_0 = ("embedder_dimension", "port", "llm_cents_per_day", "llm_cents_in", "llm_cents_out")


def _flag(name: str, value: Any) -> bool:
    known = {
        "true": True,
        "1": True,
        "yes": True,
        "on": True,
        "false": False,
        "0": False,
        "no": False,
        "off": False,
    }
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().casefold() in known:
        return known[value.strip().casefold()]
    raise InvalidInputError(name, f"must be true or false, not {value!r}")


def _typed(field: Field[Any], value: Any) -> str | int | bool:
    name = field.name
    if isinstance(field.default, bool):
        return _flag(name, value)
    if isinstance(field.default, int):
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise InvalidInputError(name, f"must be a whole number, not {value!r}") from None
        if number < (0 if name in _MAY_BE_0 else 1):
            raise InvalidInputError(name, f"must be positive, not {number}")
        if name == "port" and number > 65535:
            raise InvalidInputError(name, f"must be at most 65535, not {number}")
        return number
    if not isinstance(value, (str, Path)):
        raise InvalidInputError(name, f"must be str, not {_shown(name, value)!r}")
    choices = {
        "embedder": ("minilm", "openai", "hashing"),
        "profile": ("default", "isolated", "kronvex"),
        "extractor": ("rules", "llm", "verbatim"),
        "judge": ("rules", "llm"),
        "log_format": ("auto", "console", "json"),
        "log_level": ("debug", "info", "warning", "error"),
    }.get(name)
    if choices and value not in choices:
        raise InvalidInputError(name, f"must be one of {', '.join(choices)}, not {value!r}")
    return str(value)
