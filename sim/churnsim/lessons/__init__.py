"""Lessons: a question of the course, a prediction, a run, and what it shows, with claims that are checked.

A lesson is a file of texts in both languages, of what is run, and of claims; ``load_lesson("two_hotels")`` reads one,
`check` runs it over many seeds. A lesson whose claim no longer holds fails its check, so none can silently become
false when the model changes.
"""

from __future__ import annotations

from churnsim.lessons.checking import arms_compared, check, chosen, compared
from churnsim.lessons.loading import lesson_ids, load_lesson
from churnsim.lessons.records import Chart, Experiment, Lesson, Line, Option, Prediction, Row, Teacher
from churnsim.lessons.wording import written

__all__ = [
    "Chart",
    "Experiment",
    "Lesson",
    "Line",
    "Option",
    "Prediction",
    "Row",
    "Teacher",
    "arms_compared",
    "check",
    "chosen",
    "compared",
    "lesson_ids",
    "load_lesson",
    "written",
]
