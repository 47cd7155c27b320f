"""Finding a request's route by its first segments. Asking every route of five dialects costs more than most answers."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send


class _Node:
    """What may follow a segment of a path: literals by name, then whatever a parameter takes."""

    __slots__ = ("by_name", "parameter", "rest", "routes")

    def __init__(self) -> None:
        self.by_name: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.routes: list[APIRoute] = []
        self.rest: list[APIRoute] = []

    def candidates(self, segments: list[str], at: int) -> Iterable[APIRoute]:
        """Routes that may match, those with literals first."""
        if at == len(segments):
            yield from self.routes
        else:
            if (node := self.by_name.get(segments[at])) is not None:
                yield from node.candidates(segments, at + 1)
            if self.parameter is not None:
                yield from self.parameter.candidates(segments, at + 1)
        yield from self.rest


class RouteIndex:
    """Dispatches to the route that a path and a method mean; everything else goes `otherwise`, to be refused."""

    def __init__(self, routes: Iterable[APIRoute], otherwise: ASGIApp) -> None:
        self._root = _Node()
        self._otherwise = otherwise
        for route in routes:
            self._add(route)

    def _add(self, route: APIRoute) -> None:
        node = self._root
        for segment in route.path.split("/")[1:]:
            if not segment.startswith("{"):
                node = node.by_name.setdefault(segment, _Node())
            elif segment.endswith((":rest}", ":path}")):
                node.rest.append(route)
                return
            else:
                if node.parameter is None:
                    node.parameter = _Node()
                node = node.parameter
        node.routes.append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for route in self._root.candidates(scope["path"].split("/"), 1):
                match, found = route.matches(scope)
                if match == Match.FULL:
                    scope.update(found)
                    await route.handle(scope, receive, send)
                    return
        await self._otherwise(scope, receive, send)


def include(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Give the application all routes of the routers, flat, and have them found by index."""
    for router in routers:
        app.router.routes.extend(router.routes)
    routes = [route for route in app.router.routes if isinstance(route, APIRoute)]
    app.router.middleware_stack = RouteIndex(routes, app.router.middleware_stack)
