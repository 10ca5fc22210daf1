"""Write numbers the way readers of each language expect them."""

from __future__ import annotations

import math

MINUS = "\N{MINUS SIGN}"
NO_VALUE = "\N{EN DASH}"

SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
SCALES = {"en": ((1e9, "B"), (1e6, "M"), (1e3, "k")), "zh": ((1e8, "亿"), (1e4, "万"))}
"""Units in which large numbers are read, largest first."""
WORDS = {"k": "thousand", "M": "million", "B": "billion"}
"""English units in words."""


def number(value: float, digits: int = 0) -> str:
    """Write a number with a true minus sign, thin groups of thousands, and never ``-0``.

    Parameters
    ----------
    value
        The number; a missing one is written as a dash.
    digits
        Digits after the point.
    """
    if value is None or not math.isfinite(value):
        return NO_VALUE
    rounded = round(float(value), digits)
    # A NO-BREAK SPACE keeps "20 000" on one line.
    written = f"{abs(rounded):,.{digits}f}".replace(",", "\N{NO-BREAK SPACE}")
    return MINUS + written if rounded < 0 else written


def count(value: float) -> str:
    """Write a whole number."""
    return number(value, 0)


def percent(value: float, digits: int = 0) -> str:
    """Write a share as per cent, ``0.361`` as ``36 %``."""
    if value is None or not math.isfinite(value):
        return NO_VALUE
    return f"{number(100 * value, digits)}\N{NO-BREAK SPACE}%"


def money(
    value: float, currency: str = "CNY", lang: str = "en", digits: int | None = None, *, like: float | None = None
) -> str:
    """Write an amount of money: ``¥3.1 M`` in English, ``¥310 万`` in Chinese.

    Parameters
    ----------
    value
        Amount, in units of the currency.
    currency
        ISO code; one without a symbol of its own is written in front.
    lang
        ``en`` or ``zh``.
    digits
        Digits after the point. By default English has one below 100 of the unit and none from there on, and Chinese
        as many as say at least the same: ¥45.3 k is ¥4.53 万, and ¥1.2 M is ¥120 万.
    like
        Amount that decides the unit (k, M, 万 ...), where several amounts are to be read together.
    """
    if value is None or not math.isfinite(value):
        return NO_VALUE
    amount = value if like is None else like
    size, unit = money_unit(amount, lang)
    if digits is None:
        english = money_unit(amount, "en")[0]
        scaled = abs(value) / english
        digits = digits_in(lang, 0 if scaled >= 99.95 or (english == 1 and float(scaled).is_integer()) else 1, amount)
    written = number(value / size, digits)
    sign = MINUS if written.startswith(MINUS) else ""
    symbol = SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    gap = "\N{NO-BREAK SPACE}" if unit else ""
    return f"{sign}{symbol}{written.removeprefix(MINUS)}{gap}{unit}"


def digits_in(lang: str, english: int, amount: float) -> int:
    """Return the digits after the point that say in a language's unit of an amount what so many say in English."""
    sizes = [money_unit(amount, each)[0] for each in (lang, "en")]
    return max(0, english + round(math.log10(sizes[0] / sizes[1])))


def money_digits(largest: float, lang: str) -> int:
    """Return the digits after the point that leave three or four figures of the largest of several amounts."""
    scaled = abs(largest) / money_unit(largest, "en")[0]
    return digits_in(lang, 2 if scaled < 10 else 1 if scaled < 100 else 0, largest)


def scaled_currency(unit: str, currency: str, lang: str) -> str:
    """Return how a unit of `money_unit` and a currency's name are called together: ``thousand yuan``, ``万元``."""
    if not unit:
        return currency
    return f"{unit}{currency}" if lang == "zh" else f"{WORDS[unit]} {currency}"


def money_unit(amount: float, lang: str) -> tuple[float, str]:
    """Return the unit in which an amount is read: its size and its name."""
    for size, unit in SCALES[lang]:
        # Just below a unit rounds up into it: 999 960 is 1.0 M, not 1000.0 k.
        if abs(amount) >= size * 0.9995:
            return size, unit
    return 1.0, ""
