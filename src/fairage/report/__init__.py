"""Reports: one HTML file each, made from numbers."""

from fairage.report.audit_page import audit_html
from fairage.report.compare_page import compare_html
from fairage.report.suite import (
    Reference,
    SuiteRuns,
    VersionRuns,
    results_frame,
    suite_html,
    summary_frame,
)

__all__ = [
    "Reference",
    "SuiteRuns",
    "VersionRuns",
    "audit_html",
    "compare_html",
    "results_frame",
    "suite_html",
    "summary_frame",
]
