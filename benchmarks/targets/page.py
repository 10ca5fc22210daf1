"""The page of verification and validation, made by running every preset: ``python -m benchmarks.targets.page``."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import churnsim
from benchmarks.targets.limits import LIMITS
from benchmarks.targets.presets import TARGETS
from benchmarks.targets.target import Finding, Target, found

PAGE = Path(__file__).parents[2] / "docs" / "validation.md"

INTRODUCTION = """\
# Verification and validation

<!-- Made by `make validate`, which runs every preset; edit benchmarks/targets/, not this page. -->

Verification asks whether the code does what its equations say; validation asks whether the equations say what has been
observed. This page has a list of each, made by churnsim {version}.

- **{limits} exact limits**: with mechanisms switched off the model has closed forms, which tests compare it with.
- **{all} published findings**, each on a preset of its own, ask for numbers of two kinds. A *quantity* must lie in a
  band around a number that was published. An *order* asks for less: only a direction, a ranking or an order of
  magnitude was published, or how large an effect must be is our choice. **{quantities} and {orders}** are met;
  {tuned} of the quantities met belong to presets that were tuned to them, of the others {untuned} are met. A *closed
  form* is arithmetic that the model follows whatever its customers do: it stands here, but is counted neither as a
  quantity nor as an order. A number is met where its 95 % interval lies within its band; what fails stays here, with
  the reason.

A *preset* is a scenario, changed where its line says so. A *seed* is the luck of one run, and the interval that of the
mean over seeds: it says how far luck blurs the number, not whether the parameters are right. Where sizes that are
assumed are drawn anew for each seed the preset says so, and the interval holds these sizes too.

All numbers are met in **{met} of {all} findings**{closed}. Where a preset was tuned to its
numbers its note says so: meeting them then shows that the model *can* behave so, with parameters of a sensible size,
and nothing more. No one preset meets the numbers of all findings; several of them contradict each other. *Standing*
is how we know the figure: *checked* was read in the source or an excerpt of it, *recalled* is cited from memory and
should be looked up before it is cited further.
"""


LIMITS_TOLD = """\
Every limit is tested on both engines, the compiled one and the one that goes from customer to customer. What follows
from rules alone must hold but for rounding, what depends on luck within 4 standard errors. The latter tests have been
tested in turn: where a parameter of the model is a few per cent off, they fail.
"""


def number(value: float, digits: int) -> str:
    """Return a number with a true minus sign and no negative zero."""
    text = f"{value:,.{digits}f}".replace(",", " ")
    return (
        text[1:] if text.startswith("-") and not any(digit in "123456789" for digit in text) else text.replace("-", "−")
    )


def part_of(target: Target, findings: Sequence[Finding]) -> str:
    """Return a target's part of the page."""
    met = "met" if all(finding.holds for finding in findings) else "**not met**"
    rows = [
        f"### {target.id} {target.name}: {met}",
        "",
        f"Published: {target.fact}. Source: {target.source}. Standing: {target.standing}.",
        f"Preset: {target.preset}.",
        "",
        "| number | kind | band | model | 95 % interval | seeds | |",
        "|---|---|---|---|---|---|---|",
    ]
    for finding in findings:
        line = finding.line
        value, low, high = (number(x, line.digits) for x in (finding.value, finding.low, finding.high))
        interval = "none: the same for every seed" if finding.low == finding.high else f"{low} … {high}"
        verdict = "" if line.kind == "reported" else "✓" if finding.holds else "✗"
        kind, band = line.kind, line.band.replace("-", "−")
        if kind == "reported":
            kind, band = "", kind
        seeds = len(target.seeds if isinstance(line.of, str) else line.seeds)
        rows.append(f"| {line.text} | {kind} | {band} | {value} | {interval} | {seeds} | {verdict} |")
    if target.note:
        rows += ["", target.note]
    return "\n".join(rows)


def limits_table() -> str:
    """Return the table of exact limits."""
    rows = ["| | limit | closed form | checked by |", "|---|---|---|---|"]
    for limit in LIMITS:
        tests = [f"[`{test.rpartition('::')[2]}`](../tests/{test.partition('::')[0]})" for test in limit.tests]
        claims = [f"[claim `{c.rpartition('#')[2]}`](../scenarios/{c.partition('#')[0]}.yaml)" for c in limit.claims]
        formula = limit.formula.replace("|", "\\|")
        rows.append(f"| {limit.id} | {limit.name} | {formula} | {'<br>'.join([*tests, *claims])} |")
    return "\n".join(rows)


def counted(answers: Sequence[tuple[Target, Sequence[Finding]]], kind: str, plural: str) -> str:
    """Return how many numbers of a kind are met, in words."""
    found = [finding.holds for _, findings in answers for finding in findings if finding.line.kind == kind]
    return f"{sum(found)} of {len(found)} {plural}"


def page(answers: Sequence[tuple[Target, Sequence[Finding]]]) -> str:
    """Return the page from every target's findings."""
    met = [target.id for target, findings in answers if all(finding.holds for finding in findings)]
    missed = [target.id for target, _ in answers if target.id not in met]
    of_tuned, of_others = (
        [f for target, findings in answers if target.tuned == tuned for f in findings if f.line.kind == "quantity"]
        for tuned in (True, False)
    )
    arithmetic = [
        target.id for target, findings in answers if not {f.line.kind for f in findings} & {"quantity", "order"}
    ]
    head = INTRODUCTION.format(
        closed=f" ({' and '.join(arithmetic)} consist of closed forms alone)" if arithmetic else "",
        version=churnsim.__version__, limits=len(LIMITS), met=len(met), all=len(answers),
        quantities=counted(answers, "quantity", "quantities"), orders=counted(answers, "order", "orders"),
        tuned=sum(finding.holds for finding in of_tuned),
        untuned=f"{sum(finding.holds for finding in of_others)} of {len(of_others)}",
    )  # fmt: skip
    summary = f"Not met: {', '.join(missed)}." if missed else "All are met."
    parts = "\n\n".join(part_of(target, findings) for target, findings in answers)
    return (
        f"{head}\n{summary}\n\n## Exact limits\n\n{LIMITS_TOLD}\n{limits_table()}\n\n## Published figures\n\n{parts}\n"
    )


def main() -> None:
    """Run every preset, or those named, and write the page or print the parts."""
    wanted = [word.upper() for word in sys.argv[1:]]
    if unknown := sorted(set(wanted) - {target.id for target in TARGETS}):
        sys.exit(f"no such finding: {', '.join(unknown)}; there are {TARGETS[0].id} to {TARGETS[-1].id}")
    answers = []
    for target in TARGETS:
        if wanted and target.id not in wanted:
            continue
        began = time.monotonic()
        findings = found(target)
        verdict = "met" if all(finding.holds for finding in findings) else "not met"
        print(f"{target.id:<4} {verdict:<8} {time.monotonic() - began:6.1f} s  {target.name}", flush=True)
        answers.append((target, findings))
    if wanted:
        print("\n" + "\n\n".join(part_of(target, findings) for target, findings in answers))
    else:
        PAGE.write_text(page(answers), encoding="utf-8", newline="\n")
        print(f"written: {PAGE.name}")


if __name__ == "__main__":
    main()
