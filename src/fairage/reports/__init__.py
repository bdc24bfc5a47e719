"""Pages: one HTML file each, made from numbers, that needs nothing from the network."""

from fairage.reports.audit_page import audit_html
from fairage.reports.comparison_page import comparison_html, comparison_view
from fairage.reports.saving import audit_view, save_result

__all__ = ["audit_html", "audit_view", "comparison_html", "comparison_view", "save_result"]
