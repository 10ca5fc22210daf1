"""The scenario file that ``churnsim new`` writes: every value there as a comment, ready to be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churnsim.cli.parameters import Parameter, parameters, shown, source_of

if TYPE_CHECKING:
    from churnsim.cli.session import Session
    from churnsim.scenario import Scenario


def template(name: str, source: str, plan: Scenario, session: Session) -> str:
    """Return a scenario file that extends another one and lists what can be changed.

    Parameters
    ----------
    name
        Identifier of the new scenario.
    source
        What it extends, as the file names it.
    plan
        The scenario that it extends.
    session
        For the language of the comments.
    """
    lines = [
        *(f"# {line}" for line in session.say("template.intro", name=name, source=source).splitlines()),
        "",
        f"extends: {source}",
        f"id: {name}",
        f"title: {{en: {name}, zh: {name}}}",
        "question:",
        f"  en: {session.say('template.question_en')}",
        f"  zh: {session.say('template.question_zh')}",
        "sources:",
        f"  - {session.say('template.source')}",
        "",
        *(f"# {line}" for line in session.say("template.values").splitlines()),
    ]
    opened: list[str] = []
    for row in parameters(plan, session.lang):
        *groups, leaf = row.path.split(".")
        shared = 0
        while shared < min(len(groups), len(opened)) and groups[shared] == opened[shared]:
            shared += 1
        for depth in range(shared, len(groups)):
            lines.append(f"# {'  ' * depth}{groups[depth]}:")
        opened = groups
        lines.append(f"# {'  ' * len(groups)}{leaf}: {shown(row.raw)}{_comment(row, session.lang)}")
    lines += ["", *(f"# {line}" for line in session.say("template.moves").splitlines()), ""]
    return "\n".join(lines)


def _comment(row: Parameter, lang: str) -> str:
    """Return what a value means, as a comment behind it."""
    unit = f" ({row.unit})" if row.unit not in ("", "1") else ""
    about = "; ".join(part for part in (row.label + unit, source_of(row, lang)) if part)
    return f"  # {about}" if about else ""
