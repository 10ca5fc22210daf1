"""Lessons as a visitor sees them: steps, lines that are drawn, a class, print sheets."""

from __future__ import annotations

import pytest

pytest.importorskip("starlette", reason="the web extra is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from web_visits import address, browser, studies, until, visit
from web_visits import pytestmark as pytestmark

__all__ = ["address", "browser", "studies", "visit"]


def test_the_command_of_a_lesson_names_it_and_notes_stand_on_every_step(visit):
    page = visit("#p=lessons&lesson=churn_rate&step=0&lang=en")
    page.click("text=Teacher's notes")
    for step in range(5):
        page.click(f".steps button >> nth={step}")
        page.wait_for_selector(".teacher-note >> text=To say")
        assert page.locator(".teacher-note >> text=Try next").count() == (step > 2)
    assert "churnsim lesson churn_rate --check" in page.inner_text(".lesson-body")


def draw(page, ends: tuple[float, float]) -> None:
    """Draw a line with the pointer, from one height of the axes to another, and place it."""
    page.wait_for_selector(".sketch.open")
    page.locator(".sketch").scroll_into_view_if_needed()
    box = page.locator(".sketch").bounding_box()

    def at(part: float) -> tuple[float, float]:
        height = ends[0] + part * (ends[1] - ends[0])
        return box["x"] + box["width"] * (0.12 + 0.7 * part), box["y"] + box["height"] * height

    page.mouse.move(*at(0))
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(*at(step / 11))
    page.mouse.up()
    page.click(".sketch-tools button")
    page.wait_for_selector("text=Your line is taken")


def test_a_line_is_drawn_and_the_real_one_is_laid_over_it(visit):
    page = visit("#p=lessons&lesson=churn_rate&step=1&lang=en")
    page.wait_for_selector(".sketch.open")
    assert page.locator(".sketch-tools button").is_disabled()
    # By keyboard: every point is a slider of its own.
    page.click(".sketch-box summary")
    first = page.locator(".sketch-steps input").first
    first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowUp")
    assert page.locator(".sketch-steps output").first.inner_text() == "550"
    assert first.get_attribute("aria-valuetext") == "550"
    draw(page, (0.1, 0.7))
    values = [float(one.evaluate("node => node.value")) for one in page.locator(".sketch-steps input").all()]
    assert values == sorted(values, reverse=True) and values[0] > 800
    page.locator(".option").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator('.option[aria-checked="true"]').count() == 1
    page.click(".steps button >> nth=3")
    page.wait_for_selector(".sketch .real")
    said = page.inner_text(".overlay-card")
    assert ("on average" in said and "In the end" in said) or "The end is about right" in said
    assert page.locator(".sketch .mine").count() == 2  # the line and its name


@pytest.mark.slow
def test_a_class(visit, tmp_path):
    teacher = visit("#p=lessons&lesson=two_hotels&step=0&lang=en")
    teacher.click("text=Open a class")
    teacher.wait_for_selector(".room-code")
    assert teacher.locator(".teacher-note").count() == 0  # what is on the projector is for the class
    code = teacher.inner_text(".room-code")
    assert teacher.evaluate("document.querySelector('.sign img').decode().then(() => true)")  # the sign is a picture
    assert teacher.inner_text(".sign-address").endswith(f"/c/{code}")
    students = [visit(f"c/{code}") for _ in range(3)]
    for place, student in enumerate(students):
        student.wait_for_selector(".option")
        draw(student, (0.3, 0.2 + 0.2 * place))
        student.locator(".option").nth(min(place, 1)).click()
        student.wait_for_selector('.option[aria-checked="true"]')
        assert student.locator(".steps button:disabled").count() == 3  # no answers while the class predicts
        assert student.locator("text=Teacher's notes").count() == 0
    until(teacher, "document.querySelector('.votes').innerText === '3'")
    until(teacher, "document.querySelector('.room .lines').innerText === '3'")
    assert students[0].locator(".histogram").count() == 0 and teacher.locator(".histogram").count() == 0
    teacher.click("text=Close the vote")
    until(teacher, "!document.querySelector('.sign')")  # nobody joins any more
    teacher.click(".steps button >> nth=3")
    teacher.wait_for_selector(".sketch .real")
    assert "not shown yet" in teacher.inner_text(".class-said")
    assert teacher.locator(".histogram, .sketch .other, path.median").count() == 0
    teacher.click(".steps button >> nth=1")
    teacher.click("text=Show the class")
    for page in (students[0], teacher):
        page.wait_for_selector(".histogram")
        assert page.locator(".bin b").all_inner_texts() == ["1", "2", "0"]
        until(page, "document.querySelectorAll('.sketch .other').length === 3")
        assert page.locator("path.median").count() == 1
    teacher.click(".steps button >> nth=3")
    teacher.wait_for_selector(".class-said b")
    assert teacher.inner_text(".class-said b") == "Eton after one year, Nanyuan after eight (2 of 3)"
    assert "You have not" not in teacher.inner_text("main")
    students[0].click(".steps button >> nth=3")
    students[0].wait_for_selector(".sketch .real")
    assert "The middle of the class" in students[0].inner_text(".overlay-card")
    with teacher.expect_download() as download:
        teacher.click("text=Save answers")
    download.value.save_as(tmp_path / "class.csv")
    rows = (tmp_path / "class.csv").read_bytes()
    assert rows.startswith("\ufeff".encode()) and len(rows.decode("utf-8-sig").splitlines()) == 4
    teacher.on("dialog", lambda dialog: dialog.accept())
    teacher.click("text=End the class")
    for page in (teacher, *students):
        until(page, "!document.querySelector('.room') && !location.hash.includes('room=')")
    assert teacher.locator("text=Teacher's notes").count() == 1
    for student in students:  # what is the teacher's does not fall to them
        student.reload()
        student.wait_for_selector(".lesson-tools")
        assert student.locator(".lesson-tools button").count() == 1


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_print_sheet_is_two_pages_of_a4(visit, lang):
    import re

    from churnsim.lessons import lesson_ids, load_lesson

    for name in lesson_ids():
        page = visit(f"#p=sheet&lesson={name}&lang={lang}")
        page.wait_for_selector(".paper.of-teacher")
        if load_lesson(name).prediction.line is not None:
            page.wait_for_selector(".board .real", timeout=60_000)
        pdf = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2, name
        box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", pdf)
        assert [round(float(side)) for side in box.groups()] in ([595, 842], [594, 841], [595, 841], [594, 842])
        page.context.close()


@pytest.mark.slow
def test_every_lesson_opens_its_run(visit):
    from churnsim.lessons import lesson_ids, load_lesson

    for name in lesson_ids():
        page = visit(f"#p=lessons&lesson={name}&step=2&lang=en")
        page.wait_for_selector("table.kpis tbody td:not(:empty)", timeout=90_000)
        controls = load_lesson(name).main.controls
        page.wait_for_timeout(300)
        assert page.locator(".levers-card .lever").count() >= len(controls), name
        page.context.close()
