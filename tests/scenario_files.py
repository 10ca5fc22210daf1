"""Scenario files for tests, and what is said about bad ones."""

from __future__ import annotations

import json

from churnsim.config.errors import Problem, ScenarioError
from churnsim.config.loading import check_file

MINIMAL = """\
title: One hotel
question: How many stay?
sources: [assumed]
firms:
  solo: {name: Solo, initial_share: 50%}
"""


def problems_of(path) -> list[Problem]:
    error = check_file(path)
    assert isinstance(error, ScenarioError), "the file should be refused"
    for problem in error.errors:
        for lang in ("en", "zh"):
            assert problem.line_in(lang)
            assert "{" not in problem.message_in(lang).replace("{dist", "").replace("{en", "").replace("{ }", "")
        assert set(problem.as_dict()) == {"line", "column", "path", "message", "suggestion"}
        json.dumps(problem.as_dict("zh"))
    assert error.render("en")
    assert error.render("zh")
    return error.errors
