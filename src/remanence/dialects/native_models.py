"""What the native API is sent: the arguments of the engine's verbs.

Kinds are strict as far as JSON tells them apart, and members that nobody knows are refused. Limits of texts and
numbers stand in the OpenAPI document and are judged by the engine, whose errors name the argument; those of lists
are kept here, because each item would be looked at before.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StrictBool,
    StrictInt,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic.types import Strict
from pydantic_core import CoreSchema, PydanticCustomError

from remanence.dialects.bodies import Bounded, Metadata
from remanence.domain import validation as limits
from remanence.domain import wire
from remanence.domain.ranking import FEATURES, PROFILES
from remanence.errors import InvalidInputError

MOST_ITEMS = 1_000
"""Memories that one call can remember."""


def _time(value: object) -> datetime:
    try:
        return wire.moment("time", value)
    except InvalidInputError as error:
        raise PydanticCustomError("rfc3339", "{why}", {"why": error.why}) from error


def _text(most: int) -> Any:
    return Field(json_schema_extra={"minLength": 1, "maxLength": most})


Name = Annotated[str, _text(limits.MAX_NAME)]
Key = Annotated[str, _text(limits.MAX_KEY)]
Tag = Annotated[str, _text(200)]
Type = Annotated[str, _text(64)]
Content = Annotated[str, _text(limits.MAX_CONTENT)]
Query = Annotated[str, _text(limits.MAX_QUERY)]
Names = Annotated[list[Name], Field(max_length=limits.MAX_TAGS, fail_fast=True)]
Tags = Annotated[list[Tag], Field(max_length=limits.MAX_TAGS, fail_fast=True)]
Links = Annotated[list[Key], Field(max_length=limits.MAX_LINKS, fail_fast=True)]
Share = Annotated[float, Strict(), Field(json_schema_extra={"minimum": 0, "maximum": 1})]
Limit = Annotated[StrictInt, Field(json_schema_extra={"minimum": 1, "maximum": limits.MAX_LIMIT})]
Version = Annotated[StrictInt, Field(json_schema_extra={"minimum": 1, "maximum": limits.MAX_VERSION})]
Time = Annotated[datetime, BeforeValidator(_time)]
"""RFC 3339 with its zone."""
Ttl = Annotated[
    float,
    Strict(),
    Field(
        description="Seconds after which it is hidden, and later erased.",
        json_schema_extra={"exclusiveMinimum": 0},
    ),
]
Profile = Annotated[
    Any,
    WithJsonSchema(
        {
            "description": "A ranking profile: the name of one, or one of your own.",
            "anyOf": [
                {"type": "string", "enum": sorted(PROFILES)},
                {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "minLength": 1, "maxLength": limits.MAX_NAME},
                        "weights": {
                            "type": "object",
                            "properties": {feature: {"type": "number"} for feature in FEATURES},
                            "additionalProperties": False,
                            "minProperties": 1,
                        },
                        "scale": {"type": "string", "enum": ["relative", "absolute"], "default": "relative"},
                        "depth": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 64},
                    },
                    "required": ["name", "weights"],
                    "additionalProperties": False,
                },
                {"type": "null"},
            ],
        }
    ),
]
Ids = Annotated[
    Any,
    WithJsonSchema(
        {
            "description": "One id, for which 404 is answered if it is not there, or a list.",
            "anyOf": [
                {"type": "string", "minLength": 1, "maxLength": limits.MAX_KEY},
                {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1, "maxLength": limits.MAX_KEY},
                    "maxItems": 100_000,
                },
            ],
        }
    ),
]


class Body(Bounded):
    """Arguments of one verb."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """What was sent; for all else the verb's own defaults hold, and an update leaves it unchanged."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Filter(Body):
    types: Tags = Field([], description="Any of these.")
    tags: Tags = Field([], description="All of these.")
    session_id: Key | None = None
    source: Key | None = Field(None, description="Who or what said it.")
    since: Time | None = Field(None, description="From then on, by `valid_from`, else `created_at`.")
    until: Time | None = Field(None, description="Before then.")


class Remember(Body):
    content: Content
    type: Type = Field(
        "fact",
        description="fact, preference, decision, procedure, failure, context, interaction, temporary, or your own.",
    )
    tags: Tags = Field([])
    metadata: Metadata | None = None
    session_id: Key | None = None
    source: Key | None = Field(None, description="Who or what said it.")
    importance: Share = 0.5
    pinned: StrictBool = Field(False, description="Never expires.")
    ttl: Ttl | None = None
    valid_from: Time | None = Field(None, description="Since when it is true.")
    key: Key | None = Field(
        None, description="Takes the place of the memory that holds this key, which stays in history."
    )
    idempotency_key: Key | None = Field(
        None, description="Sent again, it answers what the first call stored. Also as header Idempotency-Key."
    )
    origin: Literal["user", "agent", "tool", "document", "import"] = Field(
        "user", description="The class of the source."
    )
    trust: Share | None = Field(None, description="How far that is relied on; null: as the origin deserves.")
    derived_from: Links = Field([], description="Memories that it was made out of.")
    depends_on: Links = Field([], description="Memories without which it does not hold.")


class _OrText:
    """A bare text stands for a memory with that content."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "minLength": 1}, handler(schema)]}


def _item(value: object) -> object:
    return {"content": value} if isinstance(value, str) else value


class Batch(Body):
    items: Annotated[
        list[Annotated[Remember, BeforeValidator(_item), _OrText()]],
        Field(max_length=MOST_ITEMS, fail_fast=True),
    ]


class Update(Body):
    """What is absent stays as it is; null means none."""

    # Never read: `given` has only what was sent.
    content: Content = Field(default_factory=str)
    type: Type = Field(default_factory=str)
    tags: Tags = Field(default_factory=list[str])
    metadata: Metadata | None = None
    session_id: Key | None = None
    source: Key | None = None
    importance: Share = Field(default_factory=float)
    pinned: StrictBool = Field(default_factory=bool)
    ttl: Ttl | None = None
    valid_from: Time | None = None
    valid_to: Time | None = None
    key: Key | None = None
    if_version: Version | None = Field(None, description="409 unless this is its current version.")


class Retract(Body):
    reason: Annotated[str, _text(10_000)] | None = None


class Restore(Body):
    version: Version | None = Field(None, description="Which version to believe again; null: the last one.")


class Forget(Filter):
    ids: Ids = Field([])
    everything: StrictBool = Field(False, description="Every memory of this namespace.")


class ForgetTenant(Body):
    confirm: Name = Field(description="The tenant's own name.")


class Recall(Filter):
    query: Query
    limit: Limit = 5
    as_of: Time | None = Field(None, description="Answer as would have been answered then.")
    min_score: Share = 0.0
    min_confidence: Share = 0.0
    namespaces: Names = Field([], description="Read besides this one.")
    profile: Profile = None


class Context(Recall):
    limit: Limit = 20
    max_tokens: StrictInt = Field(800, json_schema_extra={"minimum": 1, "maximum": 10_000_000})


class Said(Body):
    """One message."""

    content: Annotated[str, Field(json_schema_extra={"maxLength": limits.MAX_CONTENT})]
    role: Type = Field("user", description="user, assistant, system or tool.")
    name: Key | None = Field(None, description="Who spoke.")
    at: Time | None = Field(None, description="When.")
    id: Key | None = Field(None, description="Sent again, nothing of it is stored twice.")


class Extract(Body):
    messages: Annotated[list[Said], Field(max_length=MOST_ITEMS, fail_fast=True)]
    session_id: Key | None = None
    tags: Tags = Field([])


class Feedback(Body):
    kind: Literal["used", "ignored", "contradicted", "miss"]
    ids: Annotated[list[Key], Field(min_length=1, max_length=MOST_ITEMS, fail_fast=True)]


class Tokens(Body):
    text: str


class SetValue(Body):
    value: Any = Field(description="Any JSON value.")
    ttl: Ttl | None = None


class Create(Body):
    card: Metadata | None = Field(None, description="What is to be said of the channel, once.")


class NewPost(Body):
    data: Any = Field(description="Any JSON value.")
    type: Type = "data"
    source: Key | None = Field(None, description="Who posts it.")


# -- query strings: the same arguments, where everything is text


class FilterQuery(Filter):
    as_of: Time | None = Field(None, description="What was visible then.")


class ListQuery(FilterQuery):
    limit: int = Field(100, json_schema_extra={"minimum": 1, "maximum": limits.MAX_LIMIT})
    after: Key | None = Field(None, description="The last id of the page before.")


class LimitQuery(Body):
    limit: int = Field(100, json_schema_extra={"minimum": 1, "maximum": limits.MAX_LIMIT})


class PageQuery(LimitQuery):
    after: Key | None = Field(None, description="The last id of the page before.")


class DecisionsQuery(PageQuery):
    id: Key | None = Field(None, description="Only about this memory.")
    kinds: Annotated[
        list[Literal["superseded", "reinforced", "conflict", "consolidated"]],
        Field(max_length=4, fail_fast=True, description="Any of these."),
    ] = Field([])


class HistoryQuery(Body):
    key: Key


class KeysQuery(Body):
    prefix: str = Field("", json_schema_extra={"maxLength": limits.MAX_KEY})


class PostsQuery(Body):
    after: int = Field(0, description="Only higher numbers.", json_schema_extra={"minimum": 0})
    since: Time | None = Field(None, description="Only what was posted after then.")
    type: Type | None = None
    limit: int = Field(100, json_schema_extra={"minimum": 1, "maximum": limits.MAX_LIMIT})
    newest: bool = Field(False, description="The newest of them, instead of the first.")
