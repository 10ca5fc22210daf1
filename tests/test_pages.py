"""Pages that are made from the code are as the code makes them."""

from __future__ import annotations

import re

import pytest
from benchmarks.targets import page
from benchmarks.targets.limits import LIMITS
from benchmarks.targets.presets import TARGETS
from benchmarks.targets.target import Line, Target, found, judged

from churnsim import load
from churnsim.config.loading import builtin_names
from churnsim.declarations import walk
from churnsim.pages import PARTS, renewed
from conftest import ROOT


@pytest.mark.parametrize("name", PARTS)
def test_parts_made_from_the_code_are_current(name):
    """`make docs` would change nothing."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert renewed(text, name) == text


@pytest.mark.parametrize("name", ["ground_truth.md", "model.md", "validation.md", "decisions/0015-ground-truth.md"])
def test_links_lead_somewhere(name):
    page_of = ROOT / "docs" / name
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page_of.read_text(encoding="utf-8")):
        assert (page_of.parent / target).exists(), target


def test_a_page_without_its_place_is_refused():
    with pytest.raises(ValueError, match="no part 'schedule'"):
        renewed("# The model\n", "model.md")


def test_every_parameter_is_in_the_description():
    text = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    paths = [path for path, _, about in walk(load("two_hotels")) if about is not None]
    assert len(paths) > 300
    for path in paths:
        generic = ".".join("FIRM" if part in ("nanyuan", "eton") else part for part in path.split("."))
        if ".strategy." not in generic:
            # Parts of a distribution stand with the parameter.
            assert f"`{generic}`" in text or f"`{generic.rpartition('.')[0]}`" in text, generic


def test_the_description_has_the_parts_of_the_protocol():
    """ODD after Grimm et al. 2020: seven elements, in order."""
    text = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    places = [
        text.index(f"\n## {title}")
        for title in (
            "Purpose and patterns", "Entities, state variables and scales", "Process overview and scheduling",
            "Design concepts", "Initialization", "Input data", "Submodels",
        )
    ]  # fmt: skip
    assert places == sorted(places)
    concepts = text.split("\n## Design concepts")[1].split("\n## ")[0]
    for concept in (
        "Basic principles", "Emergence", "Adaptation", "Objectives", "Learning", "Prediction", "Sensing", "Interaction",
        "Stochasticity", "Collectives", "Observation",
    ):  # fmt: skip
        assert f"*{concept}.*" in concepts, concept


# ---------------------------------------------------------------------- the page of validation


def test_all_published_figures_are_there():
    assert [target.id for target in TARGETS] == [f"V{n}" for n in range(1, 25)]
    for target in TARGETS:
        assert target.fact and target.source and target.standing and target.preset and target.lines, target.id
        if any(isinstance(line.of, str) for line in target.lines):
            assert target.scenario in builtin_names()


def test_the_page_has_every_target_and_every_limit():
    """Its numbers come from runs of minutes (`make validate`); here it is only looked through for gaps."""
    text = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    assert page.limits_table() in text
    parts = text.split("\n### ")[1:]
    assert [part.partition(" ")[0] for part in parts] == [target.id for target in TARGETS]
    for part, target in zip(parts, TARGETS, strict=True):
        assert target.fact in part and target.preset in part
        for line in target.lines:
            kind = "" if line.kind == "reported" else line.kind
            assert f"| {line.text} | {kind} | {line.band.replace('-', '−')} |" in part, line.text
        if "✗" in part.partition("\n")[2]:
            assert "not met" in part.partition("\n")[0]
            assert target.note, f"{target.id} fails and says no reason"
    met = sum("✗" not in part for part in parts)
    assert f"**{met} of {len(TARGETS)} findings**" in text
    counts = []
    for kind, plural in (("quantity", "quantities"), ("order", "orders")):
        rows = [row for row in text.splitlines() if f" | {kind} | " in row]
        assert len(rows) == sum(line.kind == kind for target in TARGETS for line in target.lines)
        counts.append(f"{sum(row.endswith('✓ |') for row in rows)} of {len(rows)} {plural}")
    assert f"**{' and '.join(counts)}**" in text
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(count.removesuffix("orders") in readme for count in counts)
    assert f"**{len(LIMITS)} exact limits**" in text


def test_a_number_is_a_quantity_only_where_its_band_holds_what_was_published():
    def line(**about: object) -> Line:
        return Line("number", lambda seed: 0.0, **about)

    assert line(low=1, high=2, published=(1.5,)).kind == "quantity"
    assert line(low=1, published=(1,)).kind == "quantity"
    assert line(low=0).kind == "order"
    assert line(low=1, high=2, exact=True).kind == "closed form"
    assert line().kind == "reported"
    with pytest.raises(ValueError, match="leaves out what was published"):
        line(low=-2.6, high=-0.5, published=(-2.62,))


def test_a_target_is_met_where_its_interval_lies_within_its_band():
    def at(value: float) -> Line:
        return Line("number", lambda seed: value + seed / 1000, 1, 2)

    assert judged(at(1.5), [1.5, 1.51, 1.49]).holds
    assert not judged(at(1.5), [1.5, 2.5, 0.5]).holds  # the interval is wider than the band
    assert not judged(at(0.5), [0.5, 0.5]).holds
    assert not judged(at(float("nan")), [float("nan"), 1.5]).holds


def test_targets_are_measured_by_running_their_preset():
    target = Target(
        "V0", "Conservation", "shares sum to one", "arithmetic", "checked", "`symmetry`",
        (
            Line(
                "sum of shares",
                "share.first@1-3 + share.second@1-3 + share.third@1-3 + outside_share.market@1-3",
                0.999, 1.001,
            ),
            Line("a function", lambda seed: float(seed), seeds=(1, 2, 3)),
        ),
        scenario="symmetry", settings={"customers.count": 300, "burn_in": 2, "horizon": 3}, seeds=(1, 2),
    )  # fmt: skip
    shares, function = found(target)
    assert shares.holds and shares.value == pytest.approx(1)
    assert function.value == 2
    assert "met" in page.part_of(target, (shares, function))
