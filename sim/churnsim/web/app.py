"""The laboratory as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from churnsim import __version__
from churnsim.i18n import LANGUAGES, text
from churnsim.web.asks import RefusalError, language_of, read_ask, read_json, whole
from churnsim.web.catalogue import Catalogue, levers, texts
from churnsim.web.classroom import classroom_routes
from churnsim.web.comparing import compare_routes
from churnsim.web.files import static_files
from churnsim.web.glossary import glossary
from churnsim.web.guards import Guard
from churnsim.web.limits import Limits
from churnsim.web.once import Once
from churnsim.web.replay import replay_html
from churnsim.web.reporting import Kept
from churnsim.web.rooms import Rooms
from churnsim.web.runs import Pool
from churnsim.web.stopping import check_customers, fewer_leave, kept_by, manageable
from churnsim.web.stories import story_of
from churnsim.web.sweeping import SmallSweeps, sweeping_routes
from churnsim.web.sweeps import Sweeps, sweep_routes
from churnsim.web.warming import Warming
from churnsim.web.watching import as_line, header, sample
from churnsim.web.workbooks import Workbooks, workbook_routes

if TYPE_CHECKING:
    from churnsim.scenario import Scenario

TOLD = ("customers", "ticks", "seeds", "arms", "levels", "sweep_seeds", "sweep", "workbook")
"""Limits that the pages know, so that they offer nothing that is refused."""

STREAM = "application/x-ndjson"
Handler = Callable[[Request, dict[str, Any], str], Awaitable[Response]]


class Laboratory:
    """What one server knows: scenarios, runs, rooms and studies.

    Parameters
    ----------
    scenarios
        Scenarios besides the built-in ones, by id.
    limits
        What visitors are granted.
    studies
        Folder whose tables of studies can be explored.
    address
        Under which visitors find the server, as ``http://192.168.1.20:8421``; None takes what each of them uses.
    warm
        Whether to compile the kernels ahead of the first visitor.
    """

    def __init__(
        self,
        scenarios: dict[str, Scenario] | None = None,
        limits: Limits | None = None,
        studies: str | None = None,
        *,
        address: str | None = None,
        warm: bool = False,
    ) -> None:
        self.limits = limits or Limits()
        self.books = Workbooks(self.limits)
        self.catalogue = Catalogue(scenarios, self.books.scenario)
        self.pool = Pool(self.limits)
        self.rooms = Rooms(self.limits)
        self.once = Once(self.limits.answers)
        self.kept = Kept(self.limits.results)
        self.address = address
        self._limiter: anyio.CapacityLimiter | None = None
        self.sweeps = Sweeps(studies)
        self.small = SmallSweeps(self.sweeps.folder, self.limits)
        self.first = next(iter(self.catalogue.extra), "two_hotels")
        self.warming = Warming(warm, lambda: self.catalogue.about(self.first), self._look_up)

    async def computed(self, call: Callable[..., Any], *given: Any) -> Any:
        """Compute something that is not shared in a thread, a few at a time; refuse where too many wait."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self.limits.workers)
        if self._limiter.statistics().tasks_waiting >= self.limits.waiting:
            raise RefusalError(429, "busy")
        return await anyio.to_thread.run_sync(partial(call, *given), limiter=self._limiter)

    def _look_up(self) -> None:
        """Read what visitors ask for soon and what takes a while: the scenarios and the concepts."""
        self.catalogue.index()
        glossary()

    def close(self) -> None:
        """Let the threads end."""
        self.small.close()
        self.pool.close()


def application(lab: Laboratory, *, local: bool = True) -> Starlette:
    """Return the application of a laboratory.

    Parameters
    ----------
    lab
        What it shows.
    local
        Whether only this machine can reach it (requests that name another host are then refused).
    """
    static = static_files()

    async def page(request: Request) -> Response:
        """Serve the one page there is; what it shows stands behind the # of its address."""
        return _file(request, "index.html")

    async def file(request: Request) -> Response:
        return _file(request, request.path_params["path"])

    def _file(request: Request, path: str) -> Response:
        found = static.get(path)
        if found is None:
            raise RefusalError(404, "not_found")
        headers = {"etag": found.tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == found.tag:
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=found.kind, headers=headers)

    async def start(request: Request) -> Response:
        about = {
            "version": __version__,
            "first": lab.first,
            "limits": {name: getattr(lab.limits, name) for name in TOLD},
            "ready": lab.warming.ready,
            "warming": await run_in_threadpool(lab.warming.progress),
        }
        return _json(about)

    async def scenarios(request: Request) -> Response:
        return _json(await run_in_threadpool(lab.catalogue.index))

    async def words(request: Request) -> Response:
        lang = request.path_params["lang"]
        if lang not in LANGUAGES:
            raise RefusalError(404, "not_found")
        return _json(texts(lang))

    async def scenario(request: Request) -> Response:
        return _json(await run_in_threadpool(lab.catalogue.about, request.path_params["name"]))

    async def run(request: Request, given: dict[str, Any], lang: str) -> Response:
        ask = await run_in_threadpool(read_ask, given, lab.catalogue, lab.limits, lang)
        shared = lab.pool.run(ask)
        head = as_line({**header(ask.scenario, ask.seed), "key": ask.key})

        async def lines() -> AsyncIterator[bytes]:
            yield head
            async for line in shared.stream():
                yield line

        return StreamingResponse(lines(), media_type=STREAM, headers={"cache-control": "no-store"})

    async def scenario_file(request: Request, given: dict[str, Any], lang: str) -> Response:
        ask = await run_in_threadpool(read_ask, given, lab.catalogue, lab.limits, lang)
        written = await run_in_threadpool(ask.scenario.seeded(ask.seed).to_yaml)
        return Response(written, media_type="text/plain; charset=utf-8")

    async def lever_values(request: Request, given: dict[str, Any], lang: str) -> Response:
        ask = await run_in_threadpool(read_ask, given, lab.catalogue, lab.limits, lang)
        tick = given.get("tick", 0)
        tick = tick if isinstance(tick, int) and abs(tick) < 10**6 else 0
        return _json({"levers": await run_in_threadpool(lambda: levers(ask.scenario.at(tick)))})

    async def story(request: Request, given: dict[str, Any], lang: str) -> Response:
        ask = await run_in_threadpool(read_ask, given, lab.catalogue, lab.limits, lang)
        dot, tick = given.get("dot"), given.get("tick")
        count = len(sample(ask.scenario.customers.count))
        if not isinstance(dot, int) or isinstance(dot, bool) or not 0 <= dot < count:
            raise RefusalError(422, "no_customer")
        if not isinstance(tick, int) or isinstance(tick, bool) or not 0 <= tick <= ask.scenario.horizon:
            raise RefusalError(422, "move_tick", most=ask.scenario.horizon)
        return _json(await lab.computed(story_of, ask.scenario, ask.seed, dot, tick))

    async def stop(request: Request, given: dict[str, Any], lang: str) -> Response:
        ask = await run_in_threadpool(read_ask, given, lab.catalogue, lab.limits, lang)
        dot, firm = given.get("dot"), given.get("firm")
        tick = whole(given, "tick", 0, 1, ask.scenario.horizon)
        if firm is None:
            check_customers(ask, lab.limits)
            dot = whole(given, "dot", -1, 0, len(sample(ask.scenario.customers.count)) - 1)
            found = await lab.once.of(
                ("kept", ask.key, dot, tick), lambda: lab.computed(kept_by, lab.pool, ask, dot, tick)
            )
            if found is None:
                raise RefusalError(422, "no_departure")
            return _json(found)
        if not isinstance(firm, str) or firm not in ask.scenario.firms:
            raise RefusalError(422, "no_firm")
        tried = await run_in_threadpool(manageable, ask, lab.limits)
        key = ("fewer", tried.key, firm, tick)
        return _json(await lab.once.of(key, lambda: lab.computed(fewer_leave, lab.pool, tried, firm, tick)))

    async def replay(request: Request, given: dict[str, Any], lang: str) -> Response:
        ask = await run_in_threadpool(read_ask, given, lab.catalogue, lab.limits, lang)
        written = await lab.computed(partial(replay_html, lang=lang), ask.scenario, ask.seed)
        return Response(written, media_type="text/plain; charset=utf-8")

    def posted(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Read a request's body once, for every route alike."""

        async def route(request: Request) -> Response:
            given = read_json(await request.body())
            request.state.lang = lang = language_of(given.get("lang"))
            return await handler(request, given, lang)

        return route

    def uploaded(path: str, handler: Callable[[Request, bytes, str], Awaitable[Response]]) -> Route:
        """Take a file, whose language stands in its address; the guard has looked at its kind and size."""

        async def route(request: Request) -> Response:
            request.state.lang = lang = language_of(request.query_params.get("lang"))
            return await handler(request, await request.body(), lang)

        return Route(path, route, methods=["POST"])

    async def concepts(request: Request) -> Response:
        return _json(await run_in_threadpool(glossary))

    async def room_link(request: Request) -> Response:
        """Lead a short address, which can be read aloud, to the room.

        Whoever's browser asks for one of our languages keeps it; to others the room speaks its teacher's.
        """
        code = request.path_params["code"]
        own = request.headers.get("accept-language", "").strip().lower()[:2]
        lang = None if own in LANGUAGES else lab.rooms.lang_of(code)
        return RedirectResponse(f"/#p=lessons&room={code}{f'&lang={lang}' if lang else ''}", 303)

    def post(path: str, handler: Handler) -> Route:
        return Route(path, posted(handler), methods=["POST"])

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        lab.warming.begin()
        yield
        lab.close()

    return Starlette(
        routes=[
            Route("/", page),
            Route("/static/{path:path}", file),
            Route("/c/{code:int}", room_link),
            Route("/api/start", start),
            Route("/api/scenarios", scenarios),
            Route("/api/texts/{lang}", words),
            Route("/api/concepts", concepts),
            Route("/api/scenario/{name}", scenario),
            post("/api/run", run),
            post("/api/levers", lever_values),
            post("/api/scenario", scenario_file),
            post("/api/story", story),
            post("/api/stop", stop),
            post("/api/replay", replay),
            *compare_routes(lab, post),
            *workbook_routes(lab, uploaded),
            *classroom_routes(lab, post, local=local),
            *sweep_routes(lab, post),
            *sweeping_routes(lab, post),
        ],
        middleware=[Middleware(Guard, limits=lab.limits, local=local)],
        exception_handlers={RefusalError: _refused, HTTPException: _unknown},
        lifespan=lifespan,
    )


def _json(value: Any) -> Response:
    """Return plain data as JSON."""
    return JSONResponse(value, headers={"cache-control": "no-cache"})


async def _refused(request: Request, error: Exception) -> Response:
    """Answer a request that is not granted."""
    assert isinstance(error, RefusalError)
    lang = getattr(request.state, "lang", None) or language_of(request.headers.get("accept-language", "en")[:2])
    return JSONResponse(error.as_dict(lang), error.status)


async def _unknown(request: Request, error: Exception) -> Response:
    """Answer a request that no route takes."""
    assert isinstance(error, HTTPException)
    key = "method" if error.status_code == 405 else "not_found"
    return JSONResponse({"error": key, "message": text(f"web.error.{key}", "en"), "problems": []}, error.status_code)
