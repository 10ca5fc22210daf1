"""Lessons in the browser, and classes that predict together."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import segno
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from churnsim.lessons import Lesson, lesson_ids
from churnsim.lessons.checked import checked
from churnsim.lessons.checking import arms_compared, compared
from churnsim.running import run
from churnsim.web.asks import LONGEST, RefusalError, whole
from churnsim.web.catalogue import lesson_of
from churnsim.web.rooms import Poll

if TYPE_CHECKING:
    from churnsim.web.app import Handler, Laboratory

MOST_SEEDS = 50
"""Seeds over which a visitor may have a lesson's comparison computed."""

KNOTS = 13
"""Points of a line that is drawn, at most."""


UNKEPT = {"cache-control": "no-store"}


def classroom_routes(lab: Laboratory, post: Callable[[str, Handler], Route], *, local: bool) -> list[Route]:
    """Return the routes of lessons and rooms.

    Parameters
    ----------
    lab
        The laboratory.
    post
        Makes a route that takes a request's body.
    local
        Whether students cannot reach the server.
    """

    async def lessons(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(lambda: [card(lesson_of(name)) for name in lesson_ids()]))

    async def lesson(request: Request) -> Response:
        name = request.path_params["name"]
        return JSONResponse(await run_in_threadpool(lambda: in_full(lesson_of(name))))

    async def table(request: Request, given: dict[str, Any], lang: str) -> Response:
        name = given.get("lesson")
        if not isinstance(name, str):
            raise RefusalError(404, "no_lesson", name="")
        seeds = whole(given, "seeds", 1, 1, MOST_SEEDS)
        place = whole(given, "experiment", 0, 0, 20)
        one = lesson_of(name)
        made = await lab.once.of(("table", name, place, seeds), lambda: lab.computed(comparison_of, one, place, seeds))
        return JSONResponse(made)

    async def line(request: Request, given: dict[str, Any], lang: str) -> Response:
        name = given.get("lesson")
        one = await run_in_threadpool(lesson_of, name if isinstance(name, str) else "")
        if one.prediction.line is None:
            raise RefusalError(404, "no_line")
        return JSONResponse(await lab.once.of(("line", one.id), lambda: lab.computed(course_of, one)))

    async def open_room(request: Request, given: dict[str, Any], lang: str) -> Response:
        name = given.get("lesson")
        one = await run_in_threadpool(lesson_of, name if isinstance(name, str) else "")
        return JSONResponse(lab.rooms.open(one.id, await run_in_threadpool(poll_of, one), lang))

    async def room(request: Request) -> Response:
        key = request.headers.get("x-room-key")
        code = request.path_params["code"]
        answer = lab.rooms.about(code, key)
        if key is not None:
            answer |= {"address": room_address(request, code), "local": local}
        return JSONResponse(answer, headers=UNKEPT)

    async def room_lines(request: Request) -> Response:
        key = request.headers.get("x-room-key")
        return JSONResponse({"lines": lab.rooms.lines(request.path_params["code"], key)}, headers=UNKEPT)

    async def room_sign(request: Request) -> Response:
        code = request.path_params["code"]
        lab.rooms.is_open_to(code)
        return Response(sign(room_address(request, code)), media_type="image/svg+xml", headers=UNKEPT)

    def room_address(request: Request, code: int) -> str:
        """Return what students open: by the address that the server was told, else by the one the teacher uses."""
        base = lab.address or f"{request.url.scheme}://{request.url.netloc[:LONGEST]}"
        return f"{base}/c/{code}"

    async def vote(request: Request, given: dict[str, Any], lang: str) -> Response:
        code = request.path_params["code"]
        lab.rooms.vote(code, given.get("voter"), given.get("option"), given.get("line"))
        return JSONResponse({"ok": True})

    async def ballots(request: Request, given: dict[str, Any], lang: str) -> Response:
        found = lab.rooms.ballots(request.path_params["code"], given.get("key"))
        return JSONResponse({"ballots": found}, headers=UNKEPT)

    async def end(request: Request, given: dict[str, Any], lang: str) -> Response:
        lab.rooms.end(request.path_params["code"], given.get("key"))
        return JSONResponse({"ok": True})

    async def turn(request: Request, given: dict[str, Any], lang: str) -> Response:
        lab.rooms.turn(request.path_params["code"], given.get("key"), given.get("stage"))
        return JSONResponse({"ok": True})

    return [
        Route("/api/lessons", lessons),
        Route("/api/lessons/{name}", lesson),
        post("/api/lesson/table", table),
        post("/api/lesson/line", line),
        post("/api/rooms", open_room),
        Route("/api/rooms/{code:int}", room),
        Route("/api/rooms/{code:int}/lines", room_lines),
        Route("/api/rooms/{code:int}/sign.svg", room_sign),
        post("/api/rooms/{code:int}/ballots", ballots),
        post("/api/rooms/{code:int}/end", end),
        post("/api/rooms/{code:int}/vote", vote),
        post("/api/rooms/{code:int}/stage", turn),
    ]


def card(lesson: Lesson) -> dict[str, Any]:
    """Return a lesson as it stands in the list."""
    return {
        "id": lesson.id,
        "number": lesson.number,
        "title": lesson.title.model_dump(),
        "question": lesson.question.model_dump(),
        "prompt": lesson.prediction.prompt.model_dump(),
        "minutes": lesson.teacher.minutes,
        "concepts": list(lesson.concepts),
        "draws": lesson.prediction.line is not None,
        "checked": None if (found := checked(lesson)) is None else asdict(found),
    }


def in_full(lesson: Lesson) -> dict[str, Any]:
    """Return a whole lesson; which answer is right stays with the run that shows it."""
    return {
        **card(lesson),
        "course": lesson.course.model_dump(),
        "options": [{"id": option.id, "text": option.text.model_dump()} for option in lesson.prediction.options],
        "answer": lesson.prediction.answer,
        "line": drawable(lesson),
        "explanation": lesson.explanation.model_dump(),
        "teacher": {name: getattr(lesson.teacher, name).model_dump() for name in ("say", "ask", "caution")},
        "experiments": [
            {
                "scenario": f"lesson:{lesson.id}:{place}",
                "title": experiment.title.model_dump() if experiment.title else None,
                "show": list(experiment.show),
                "arms": {name: title.model_dump() for name, title in experiment.titles().items()},
                "seed": experiment.seed,
                "currency": experiment.plan.currency,
                "stops": list(experiment.stops),
                "controls": list(experiment.controls),
                "measure": experiment.chart.measure,
                "claims": [claim.text.model_dump() for claim in experiment.plan.claims],
            }
            for place, experiment in enumerate(lesson.experiments)
        ],
    }


def drawable(lesson: Lesson) -> dict[str, Any] | None:
    """Return the line that a class may draw, with the ticks at which it has points."""
    line, plan = lesson.prediction.line, lesson.main.plan
    if line is None:
        return None
    first = 0 if plan.burn_in else 1  # without a burn-in nothing has been measured before the first tick
    return {
        **line.model_dump(),
        "firm_name": plan.firms[line.firm].name.model_dump(),
        "arm_title": None if line.arm == "case" else plan.arms[line.arm].title.model_dump(),
        "currency": plan.currency,
        "tick": plan.tick,
        "knots": np.unique(np.linspace(first, plan.horizon, KNOTS).round().astype(int)).tolist(),
    }


def poll_of(lesson: Lesson) -> Poll:
    """Return what a class may say to a lesson."""
    options = tuple(option.id for option in lesson.prediction.options)
    line = drawable(lesson)
    return Poll(options) if line is None else Poll(options, len(line["knots"]), line["low"], line["high"])


def course_of(lesson: Lesson) -> dict[str, Any]:
    """Return the course that a class has drawn, as the run has it that the class sees."""
    line, experiment = lesson.prediction.line, lesson.main
    assert line is not None
    ticks = run(experiment.plan.arm(line.arm), [experiment.seed], jobs=1, progress=False).ticks
    rows = ticks[(ticks["firm"] == line.firm) & (ticks["tick"] >= 0)].sort_values("tick")
    return {"ticks": rows["tick"].tolist(), "values": [_finite(value) for value in rows[line.measure].tolist()]}


def sign(address: str) -> bytes:
    """Return an address as a QR code (ISO/IEC 18004), SVG: dark on light, with the quiet zone that readers need."""
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        drawn, kind="svg", border=4, dark="#000", light="#fff", xmldecl=False, svgns=True, omitsize=True
    )
    return drawn.getvalue()


def comparison_of(lesson: Lesson, place: int, seeds: int) -> dict[str, Any]:
    """Return a lesson's table, worked out on the seed that the class sees or on several."""
    if place >= len(lesson.experiments):
        raise RefusalError(404, "no_lesson", name=lesson.id)
    experiment = lesson.experiments[place]
    plans = [experiment.plan.arm(name) for name in arms_compared(lesson, experiment)]
    result = run(plans, [experiment.seed] if seeds == 1 else range(1, seeds + 1), jobs=1, progress=False)
    rows = compared(experiment, result)
    numbers = ("mean", "low", "high")
    plain = [
        {**row, "label": row["label"].model_dump(), **{name: _finite(row[name]) for name in numbers}} for row in rows
    ]
    return {"seeds": seeds, "rows": plain}


def _finite(value: float) -> float | None:
    """Return a number as JSON knows it."""
    return value if math.isfinite(value) else None
