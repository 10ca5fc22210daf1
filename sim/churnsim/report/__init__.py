"""Reports of results for people who decide: a page, a workbook, and slides, in English or Chinese.

All three say the same, because they are written from the same `Findings`. The page needs jinja2 alone; the workbook and
the slides need the extra ``office`` (``pip install churnsim[office]``).
"""

from __future__ import annotations

from churnsim.report.answers import Findings, findings
from churnsim.report.excel import workbook
from churnsim.report.html_page import page
from churnsim.report.merging import merged
from churnsim.report.needs import MissingExtraError
from churnsim.report.powerpoint import slides

__all__ = ["Findings", "MissingExtraError", "findings", "merged", "page", "slides", "workbook"]
