"""What the last check of every lesson over 200 seeds found: ``python -m churnsim.lessons.checked [LESSON...]``.

Opening a lesson takes no 200 runs, so the finding is stored (`checked.json`) and shown beside the lesson. It belongs to
what was checked: a lesson that has been changed since, or that runs another scenario now, has none.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic_core import to_json

from churnsim.lessons.checking import PREDICTION, check
from churnsim.lessons.loading import lesson_ids, load_lesson
from churnsim.lessons.records import Lesson
from churnsim.scenario import drop_later_mechanisms

SEEDS = range(1, 201)
FILE = "checked.json"


@dataclass(frozen=True)
class Checked:
    """What a check of a lesson found.

    Attributes
    ----------
    seeds : int
        Runs of every arm.
    claims : int
        Claims of the lesson, without that of its answer and without what is only reported.
    hold : int
        How many of them hold.
    right : float
        Fraction of the runs in which the lesson's answer is the right one.
    content : str
        Digest of what was checked.
    """

    seeds: int
    claims: int
    hold: int
    right: float
    content: str


NOT_CHECKED = {"sources", "case_title", "money"}
"""What of a scenario changes neither runs nor claims."""


def content_of(lesson: Lesson) -> str:
    """Return a digest of what a lesson says, runs and claims; where its scenarios' numbers come from is none of it."""
    plans = [experiment.plan.model_dump(mode="json", exclude=NOT_CHECKED) for experiment in lesson.experiments]
    for plan in plans:
        drop_later_mechanisms(plan)
    parts = [lesson.model_dump_json(), *(to_json(plan).decode() for plan in plans)]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def checked(lesson: Lesson) -> Checked | None:
    """Return what the last check of a built-in lesson found; None if it was another lesson, or never checked."""
    found = _stored().get(lesson.id)
    return found if found is not None and found.content == content_of(lesson) else None


def check_again(lesson: Lesson, seeds: Sequence[int] = SEEDS) -> Checked:
    """Check a lesson."""
    verdicts = check(lesson, seeds, progress=False)
    reported = {claim.id for part in lesson.experiments for claim in part.plan.claims if claim.is_only_reported}
    claims = [one for one in verdicts if one["id"] not in {PREDICTION, *reported}]
    (answer,) = (one for one in verdicts if one["id"] == PREDICTION)
    hold = sum(bool(one["holds"]) for one in claims)
    return Checked(len(seeds), len(claims), hold, round(answer["fraction"], 3), content_of(lesson))


@cache
def _stored() -> dict[str, Checked]:
    """Return what is stored, by lesson."""
    file = resources.files("churnsim.lessons") / FILE
    return {name: Checked(**found) for name, found in json.loads(file.read_text(encoding="utf-8")).items()}


def main() -> None:
    """Check the lessons named (all by default) and store what is found."""
    file = Path(str(resources.files("churnsim.lessons"))) / FILE
    stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for name in sys.argv[1:] or lesson_ids():
        stored[name] = asdict(check_again(load_lesson(name)))
        print(name, stored[name], flush=True)
        ordered = {each: stored[each] for each in lesson_ids() if each in stored}
        file.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
