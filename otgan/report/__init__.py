"""What is kept of a run: a record for programs, a page for people, both written so that a crash leaves no ruins."""

from otgan.report.columns import unsettled
from otgan.report.files import check_folder, check_writable, npz_path, plan_bytes, save_plan, slug, write_files
from otgan.report.lock import alone
from otgan.report.page import Figure, document, environment_facts, facts_html, figure_html, page
from otgan.report.record import describe, environment, plain, to_json
from otgan.report.terminal import print_table, print_tables

__all__ = [
    "Figure",
    "alone",
    "check_folder",
    "check_writable",
    "describe",
    "document",
    "environment",
    "environment_facts",
    "facts_html",
    "figure_html",
    "npz_path",
    "page",
    "plain",
    "plan_bytes",
    "print_table",
    "print_tables",
    "save_plan",
    "slug",
    "to_json",
    "unsettled",
    "write_files",
]
