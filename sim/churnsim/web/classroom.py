"""Lessons in the browser, and classes that vote on their predictions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from churnsim.lessons import Lesson, lesson_ids
from churnsim.lessons.checking import arms_compared, compared
from churnsim.running import run
from churnsim.web.asks import RefusalError, whole
from churnsim.web.catalogue import lesson_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from churnsim.web.app import Handler, Laboratory

MOST_SEEDS = 50
"""Seeds over which a visitor may have a lesson's comparison computed."""


def classroom_routes(lab: Laboratory, post: Callable[[str, Handler], Route]) -> list[Route]:
    """Return the routes of lessons and rooms."""

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
        return JSONResponse(await lab.computed(comparison_of, lesson_of(name), place, seeds))

    async def open_room(request: Request, given: dict[str, Any], lang: str) -> Response:
        name = given.get("lesson")
        one = await run_in_threadpool(lesson_of, name if isinstance(name, str) else "")
        return JSONResponse(lab.rooms.open(one.id, tuple(option.id for option in one.prediction.options)))

    async def room(request: Request) -> Response:
        key = request.headers.get("x-room-key")
        answer = lab.rooms.about(request.path_params["code"], key)
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    async def vote(request: Request, given: dict[str, Any], lang: str) -> Response:
        lab.rooms.vote(request.path_params["code"], given.get("voter"), given.get("option"))
        return JSONResponse({"ok": True})

    async def turn(request: Request, given: dict[str, Any], lang: str) -> Response:
        lab.rooms.turn(request.path_params["code"], given.get("key"), given.get("stage"))
        return JSONResponse({"ok": True})

    return [
        Route("/api/lessons", lessons),
        Route("/api/lessons/{name}", lesson),
        post("/api/lesson/table", table),
        post("/api/rooms", open_room),
        Route("/api/rooms/{code:int}", room),
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
    }


def in_full(lesson: Lesson) -> dict[str, Any]:
    """Return a whole lesson; which answer is right stays with the run that shows it."""
    return {
        **card(lesson),
        "course": lesson.course.model_dump(),
        "options": [{"id": option.id, "text": option.text.model_dump()} for option in lesson.prediction.options],
        "answer": lesson.prediction.answer,
        "explanation": lesson.explanation.model_dump(),
        "teacher": {name: getattr(lesson.teacher, name).model_dump() for name in ("say", "ask", "caution")},
        "experiments": [
            {
                "scenario": f"lesson:{lesson.id}:{place}",
                "title": experiment.title.model_dump() if experiment.title else None,
                "show": list(experiment.show),
                "arms": {
                    name: (experiment.plan.title if name == "case" else experiment.plan.arms[name].title).model_dump()
                    for name in experiment.show
                },
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
