"""What Prometheus may know: counts and times. Never a tenant, a namespace or anything else that a caller named."""

from __future__ import annotations

import functools
import inspect
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector

from remanence import __version__
from remanence.domain.records import AddVersion

if TYPE_CHECKING:
    from remanence.backend import Backend

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""Where the processes of one server leave their numbers; prometheus_client reads it when it is imported."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
EMBEDDING = (
    "embed",
    "embed_query",
    "embed_with_tokens",
    "embed_query_with_tokens",
    "embed_query_blocking",
)


class Metrics:
    """The numbers of one application; with several processes, `render` adds up theirs."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._shared = DIRECTORY in os.environ
        more: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter(
            "remanence_http_requests",
            "Requests answered, by method, route and status.",
            ("method", "route", "status"),
            **more,
        )
        self.seconds = Histogram(
            "remanence_http_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("method", "route"),
            buckets=SECONDS,
            **more,
        )
        self.in_flight = Gauge(
            "remanence_http_requests_in_flight",
            "Requests being answered.",
            multiprocess_mode="livesum",
            **more,
        )
        self.searches = Counter(
            "remanence_searches", "Searches of the store; a recall makes one or more.", **more
        )
        self.search_seconds = Histogram(
            "remanence_search_seconds", "Time of one search of the store.", buckets=SECONDS, **more
        )
        self.stored = Counter("remanence_versions_stored", "Versions of memories that were stored.", **more)
        self.embedder_failures = Counter(
            "remanence_embedder_failures", "Calls of the embedder that failed.", **more
        )
        self.build = Gauge(
            "remanence_build_info", "Which release answers.", ("version",), multiprocess_mode="max", **more
        )
        self.build.labels(__version__).set(1)
        if not self._shared:
            ProcessCollector(registry=self.registry)
            GCCollector(registry=self.registry)

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request that was answered."""
        method = method if method in METHODS else "other"
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(method, route).observe(seconds)

    def render(self) -> bytes:
        """All numbers in Prometheus' text format."""
        if not self._shared:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # pyright: ignore[reportUnknownMemberType]
        return generate_latest(registry)

    def watch(self, backend: Backend) -> ExitStack:
        """Count what this store and embedder do, until the result is closed."""
        watched = ExitStack()

        def replace(part: Any, name: str, wrap: Callable[[Any], Any]) -> None:
            # On the object, not around it: whether a part has an ability is asked of its class.
            setattr(part, name, wrap(getattr(part, name)))
            watched.callback(delattr, part, name)

        replace(backend.store, "search", self._timed)
        replace(backend.store, "apply", self._counting_versions)
        for name in EMBEDDING:
            if hasattr(backend.embedder, name) and hasattr(backend.embedder, "__dict__"):
                replace(backend.embedder, name, self._counting_failures)
        return watched

    def _timed(self, search: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(search)
        def timed(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return search(*arguments, **named)
            finally:
                self.searches.inc()
                self.search_seconds.observe(time.perf_counter() - started)

        return timed

    def _counting_versions(self, apply: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(apply)
        def counting(scope: Any, changes: Any, *arguments: Any, **named: Any) -> Any:
            done = apply(scope, changes, *arguments, **named)
            if added := sum(isinstance(change, AddVersion) for change in changes):
                self.stored.inc(added)
            return done

        return counting

    def _counting_failures(self, embed: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(embed):

            @functools.wraps(embed)
            async def awaited(*arguments: Any, **named: Any) -> Any:
                try:
                    return await embed(*arguments, **named)
                except Exception:
                    self.embedder_failures.inc()
                    raise

            return awaited

        @functools.wraps(embed)
        def called(*arguments: Any, **named: Any) -> Any:
            try:
                return embed(*arguments, **named)
            except Exception:
                self.embedder_failures.inc()
                raise

        return called
