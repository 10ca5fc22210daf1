"""Figures as SVG that stands inside a page: small, sharp at every size, and the same text for the same figure.

matplotlib writes every letter of every text as an outline of its own, absolute coordinates, and a style at every shape.
Here the outlines of letters are kept once, for one figure or for all figures of a page, coordinates are written from
point to point, and neighbours share a style. What is drawn stays the same within a twentieth of a point.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
HREF = "{http://www.w3.org/1999/xlink}href"
LETTER_GRID = 20.0
"""Units of a letter's outline that are written as one: 1/320 of its size."""

_svg_lock = threading.Lock()
"""matplotlib knows how to write SVG from global settings alone; they are set and restored under this lock."""

_TOKEN = re.compile(r"[A-Za-z]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_COUNT = {"M": 2, "L": 2, "Q": 4, "C": 6}
_CURVES = re.compile(r"M \S+ \S+\s+(?:C [^A-Za-z]+){8}z")
"""An outline of eight curves, as which matplotlib writes a circle."""


class Letters:
    """Outlines of letters that the figures of a page share.

    Give the same `Letters` to `svg` for every figure of the page and write `element` once into it.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._paths: list[str] = []

    def place(self, letter: ET.Element) -> str:
        """Return the name under which a letter's outline is kept."""
        own = letter.get("id", "")
        if own not in self._names:
            self._names[own] = f"l{len(self._paths)}"
            scale = re.match(r"scale\((\S+?)\)", letter.get("transform", "scale(1)"))
            factor = float(scale[1]) * LETTER_GRID if scale else LETTER_GRID
            outline = _stepwise(letter.get("d", ""), LETTER_GRID)
            self._paths.append(f'<path id="{self._names[own]}" d="{outline}" transform="scale({factor:g})"/>')
        return self._names[own]

    def element(self) -> str:
        """Return the element that holds the outlines; it takes no room in the page."""
        return (
            f'<svg xmlns="{SVG}" width="0" height="0" style="position:absolute" aria-hidden="true"><defs>'
            f"{''.join(self._paths)}</defs></svg>"
        )


def svg(figure: Figure, letters: Letters | None = None) -> str:
    """Draw a figure as an SVG element to stand inside a page; the same figure is the same text.

    Letters are drawn as shapes, so that the page needs no fonts. Identifiers begin with a hash of the figure, so that
    several figures can stand in one page.

    Parameters
    ----------
    figure
        The figure.
    letters
        Outlines shared with other figures of the page, which must hold them; by default the figure brings its own.
    """
    from matplotlib import rc_context

    buffer = io.StringIO()
    with _svg_lock, rc_context({"svg.hashsalt": "churnsim", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawn = buffer.getvalue()
    mark = "f" + hashlib.blake2b(drawn.encode(), digest_size=4).hexdigest()
    root = ET.fromstring(drawn)
    own = letters or Letters()
    _tidy(root)
    _share_letters(root, own)
    _name(root, mark)
    _shorten(root)
    _group(root)
    size = f'width="{root.get("width")}" height="{root.get("height")}" viewBox="{root.get("viewBox")}"'
    inside = "".join(_written(child) for child in root)
    kept = own.element().partition("<defs>")[2].partition("</defs>")[0] if letters is None else ""
    return (
        f'<svg xmlns="{SVG}" {size} stroke-linejoin="round" stroke-linecap="butt">'
        f"{f'<defs>{_marked(kept, mark)}</defs>' if kept else ''}"
        f"{inside if letters is not None else _marked(inside, mark)}</svg>"
    )


def _marked(written: str, mark: str) -> str:
    """Give the letters of a figure that stands alone names of its own."""
    return re.sub(r'(id="|href="#)(l\d+")', rf"\1{mark}\2", written)


def _tidy(element: ET.Element) -> None:
    """Leave out metadata, the style sheet (`svg` says the same at the root), and blanks between elements."""
    for child in list(element):
        if _tag(child) in ("metadata", "style"):
            element.remove(child)
            continue
        _tidy(child)
        if _tag(child) == "defs" and not len(child):
            element.remove(child)
    element.text = element.tail = None


def _share_letters(root: ET.Element, letters: Letters) -> None:
    """Take the outlines of letters out of the figure, and point to the shared ones."""
    names: dict[str, str] = {}
    for parent in list(root.iter()):
        for defs in [child for child in parent if _tag(child) == "defs"]:
            for path in [child for child in defs if child.get("transform", "").startswith("scale(")]:
                names[path.get("id", "")] = letters.place(path)
                defs.remove(path)
            if not len(defs):
                parent.remove(defs)
    for use in root.iter(f"{{{SVG}}}use"):
        target = (use.attrib.pop(HREF, None) or use.attrib.pop("href", "")).removeprefix("#")
        use.set("href", f"#{names.get(target, target)}")
        moved = re.fullmatch(r"translate\((\S+?)(?:[ ,]+(\S+?))?\)", use.get("transform", ""))
        if moved and target in names:
            del use.attrib["transform"]
            for axis, value in zip("xy", moved.groups(), strict=True):
                if value is not None and float(value):
                    use.set(axis, f"{float(value):.4g}")


def _name(root: ET.Element, mark: str) -> None:
    """Keep the identifiers that something points to, short and marked as this figure's; drop the others."""
    pointed = set()
    for element in root.iter():
        for value in element.attrib.values():
            pointed.update(re.findall(r"url\(#([^)]+)\)", value))
        pointed.add(element.get("href", "").removeprefix("#"))
    own = [element.get("id", "") for element in root.iter() if element.get("id") in pointed]
    new = {name: f"{mark}-{place}" for place, name in enumerate(dict.fromkeys(own))}
    for element in root.iter():
        if (name := element.get("id")) is not None:
            if name in new:
                element.set("id", new[name])
            else:
                del element.attrib["id"]
        for key, value in element.attrib.items():
            if "url(#" in value:
                element.set(key, re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{new[found[1]]})", value))
        target = element.get("href", "").removeprefix("#")
        if target in new:
            element.set("href", f"#{new[target]}")


def _shorten(root: ET.Element) -> None:
    """Write paths, styles and places in few letters."""
    for pattern in root.iter(f"{{{SVG}}}pattern"):
        for path in pattern.iter(f"{{{SVG}}}path"):
            _dotted(path)
    for element in root.iter():
        if (outline := element.get("d")) is not None:
            element.set("d", _stepwise(outline, 0.1))
        if (style := element.get("style")) is not None:
            element.set("style", re.sub(r"\s*([:;,])\s*", r"\1", style).strip("; "))
        for key in ("x", "y", "width", "height"):
            if element is not root and (value := element.get(key)) is not None and _tag(element) != "pattern":
                element.set(key, _number(round(float(value), 2)) if _tag(element) != "use" else f"{float(value):.6g}")
        if (moved := element.get("transform")) is not None:
            element.set("transform", re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.5g}", moved))


def _dotted(path: ET.Element) -> None:
    """Write circles of one size and colour, as in hatches, as dots: points of a line with round ends."""
    outline, style = path.get("d", ""), dict(re.findall(r"([a-z-]+):\s*([^;]+)", path.get("style", "")))
    largest: dict[tuple[float, float], float] = {}  # of circles about one centre the largest hides the others
    for written in _CURVES.findall(outline):
        if (found := _circle(written)) is None:
            return
        x, y, radius = found
        largest[x, y] = max(radius, largest.get((x, y), 0.0))
    if len(set(largest.values())) != 1 or _CURVES.sub("", outline).strip() or style.get("fill") != style.get("stroke"):
        return
    thick = 2 * max(largest.values()) + float(style.get("stroke-width", 1))
    path.set("style", f"fill:none;stroke:{style['stroke']};stroke-width:{thick:.3g};stroke-linecap:round")
    path.set("d", " ".join(f"M {x:g} {y:g} L {x:g} {y:g}" for x, y in largest))


def _group(element: ET.Element) -> None:
    """Take away groups that say nothing, and write what neighbours have in common once."""
    for child in element:
        _group(child)
    flat: list[ET.Element] = []
    for child in element:
        flat += list(child) if _tag(child) == "g" and not child.attrib else [child]
    grouped: list[ET.Element] = []
    for child in flat:
        shared = _shared(child)
        last = grouped[-1] if grouped else None
        if shared and last is not None and _tag(last) == "g" and last.attrib == shared:
            last.append(_bare(child, shared))
        elif shared and last is not None and _shared(last) == shared:
            both = ET.Element(f"{{{SVG}}}g", shared)
            both.extend([_bare(last, shared), _bare(child, shared)])
            grouped[-1] = both
        else:
            grouped.append(child)
    for child in list(element):
        element.remove(child)
    element.extend(grouped)


def _shared(element: ET.Element) -> dict[str, str]:
    """Return what a shape may share with its neighbours; nothing where a group would look different."""
    said: dict[str, str] = {key: element.attrib[key] for key in ("style", "clip-path") if key in element.attrib}
    # The opacity of a group is not that of each of its members; what is pointed to must bring its own style.
    apart = re.search(r"(^|;)opacity:", said.get("style", "")) or "id" in element.attrib
    return {} if _tag(element) not in ("path", "use", "rect") or apart else said


def _bare(element: ET.Element, shared: dict[str, str]) -> ET.Element:
    """Return an element without what its group says."""
    for key in shared:
        del element.attrib[key]
    return element


def _stepwise(path: str, grid: float) -> str:
    """Return an outline written from point to point, on a grid so fine that nobody sees it.

    Steps are taken between points of the grid, so that rounding does not add up along a line.
    """
    written, here, start = [], (0, 0), (0, 0)
    last = ""
    for command, numbers in _commands(path):
        if command in "zZ":
            written.append("z")
            here, last = start, "z"
            continue
        if command == "a":  # an arc that is a whole circle's half: only its end is a point
            written.append(
                "a" + _joined([*(f"{value:.3g}" for value in numbers[:2]), "0 1 0", *map(_number, numbers[5:])])
            )
            here, last = (here[0] + round(numbers[5] / grid), here[1] + round(numbers[6] / grid)), "a"
            continue
        points = [(round(x / grid), round(y / grid)) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        if command == "M":
            written.append("M" + _joined([_on_grid(value, grid) for value in points[0]]))
            here = start = points[0]
            last = "M"
            continue
        if command == "L" and points[0] == here and last != "M":
            continue  # a step to where the line is already; after M it is a dot
        steps = [(x - here[0], y - here[1]) for x, y in points]
        letter, values = command.lower(), [value for step in steps for value in step]
        if command == "L" and 0 in steps[0]:
            letter, values = ("h", [steps[0][0]]) if steps[0][1] == 0 else ("v", [steps[0][1]])
        said = _joined([_on_grid(value, grid) for value in values])
        between = "" if said.startswith("-") else " "
        written.append(between + said if letter == last else letter + said)
        here, last = points[-1], letter
    return "".join(written)


def _commands(path: str) -> Iterator[tuple[str, list[float]]]:
    """Return the commands of an outline with their numbers; whole circles as two arcs."""
    tokens = _TOKEN.findall(_CURVES.sub(_arcs, path))
    place = 0
    while place < len(tokens):
        command = tokens[place]
        many = 7 if command == "a" else _COUNT.get(command, 0)
        yield command, [float(token) for token in tokens[place + 1 : place + 1 + many]]
        place += 1 + many


def _arcs(curves: re.Match[str]) -> str:
    """Return a circle as two arcs from its lowest point; what is none as it is."""
    found = _circle(curves[0])
    if found is None:
        return curves[0]
    x, y, r = found
    return f"M {x:g} {y + r:g} a {r:.3g} {r:.3g} 0 1 0 0 {-2 * r:.3g} a {r:.3g} {r:.3g} 0 1 0 0 {2 * r:.3g} z"


def _circle(curves: str) -> tuple[float, float, float] | None:
    """Return centre and radius of eight curves that make a circle; None of others, such as a letter's."""
    numbers = [float(token) for token in _TOKEN.findall(curves) if not token.isalpha()]
    ends = list(zip(numbers[0::6], numbers[1::6], strict=True))
    x, y = (sum(end[axis] for end in ends[:-1]) / 8 for axis in (0, 1))
    far = [math.hypot(a - x, b - y) for a, b in ends]
    radius = sum(far) / len(far)
    if ends[0] != ends[-1] or max(far) - min(far) > 0.01 * radius:
        return None
    return round(x, 3), round(y, 3), round(radius, 3)


def _on_grid(value: int, grid: float) -> str:
    """Write a coordinate: letters in units of their grid, everything else in points."""
    return str(value) if grid >= 1 else _number(value * grid)


def _number(value: float) -> str:
    """Write a number in as few letters as it needs."""
    said = f"{value:.6g}"
    return said.replace("0.", ".", 1) if said.startswith(("0.", "-0.")) else said


def _joined(numbers: list[str]) -> str:
    """Write numbers one after the other, apart where they would run together."""
    said = numbers[0]
    for number in numbers[1:]:
        said += number if number.startswith("-") else f" {number}"
    return said


def _tag(element: ET.Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _written(element: ET.Element) -> str:
    """Write an element without namespaces."""
    name = _tag(element)
    attributes = "".join(f' {key.rpartition("}")[2]}="{value}"' for key, value in element.attrib.items())
    inside = "".join(_written(child) for child in element)
    return f"<{name}{attributes}>{inside}</{name}>" if inside else f"<{name}{attributes}/>"
