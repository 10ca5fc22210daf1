"""Fonts that can show the text: never a row of empty boxes.

Families are named per text, so that no global matplotlib setting is touched.
"""

from __future__ import annotations

import threading
import warnings
from functools import cache
from pathlib import Path

from matplotlib import font_manager

from churnsim.i18n import text

LATIN = ("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans")
"""Families for English, best first; matplotlib always brings the last one along."""

CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "Heiti SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    # Older matplotlib reads only the first face of a collection file, which is the Japanese one;
    # it holds the simplified characters too.
    "Noto Sans CJK JP",
    "Source Han Sans",
    "Source Han Sans JP",
)
"""Families with simplified Chinese, best first."""

_FILES = ("NotoSansCJK-Regular.ttc", "SourceHanSansSC-Regular.otf", "msyh.ttc", "simhei.ttf", "wqy-microhei.ttc")
"""Looked for on disk when matplotlib's list, which may be older than the font, has none of `CHINESE`."""

INSTALL = "apt install fonts-noto-cjk"

_lock = threading.Lock()


def families(lang: str) -> list[str]:
    """Return the font families for a text in a language, in order of preference.

    Parameters
    ----------
    lang
        ``en`` or ``zh``. Names of firms may be Chinese in either, so both lists end
        with the other language's fonts.
    """
    latin = [next(name for name in LATIN if name in _known()), LATIN[-1]]
    chinese = [name] if (name := chinese_family()) else []
    return [*chinese, *latin] if lang == "zh" else [*latin, *chinese]


@cache
def chinese_family() -> str | None:
    """Return the best installed family with simplified Chinese, or None."""
    present = next((name for name in CHINESE if name in _known()), None)
    return present or _registered_from_disk()


@cache
def usable_language(lang: str) -> str:
    """Return the language in which a figure can be labelled, with one warning where it is not the wanted one."""
    if lang != "zh" or chinese_family():
        return lang
    warnings.warn(text("warning.no_cjk_font", "en", install=INSTALL), stacklevel=2)
    return "en"


def _known() -> set[str]:
    """Return the families that matplotlib knows."""
    return {entry.name for entry in font_manager.fontManager.ttflist}


def _registered_from_disk() -> str | None:
    """Find a Chinese font file that matplotlib has not listed, make it known and return its family."""
    with _lock:
        for path in font_manager.findSystemFonts():
            if Path(path).name in _FILES:
                font_manager.fontManager.addfont(path)
        return next((name for name in CHINESE if name in _known()), None)
