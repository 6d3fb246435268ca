"""What is kept of a run: a record for programs, a page for people, both written so that a crash leaves no ruins."""

from otgan.report.columns import amount, settled, unsettled
from otgan.report.files import check_folder, check_writable, npz_path, plan_bytes, save_plan, slug, write_files
from otgan.report.lock import alone
from otgan.report.numbers import percent, significant, typeset
from otgan.report.page import (
    Figure,
    document,
    environment_facts,
    facts_html,
    figure_html,
    next_html,
    note_html,
    page,
    terms_html,
)
from otgan.report.record import describe, environment, plain, to_json
from otgan.report.terminal import print_table, print_tables
from otgan.report.words import WORDS, explained

__all__ = [
    "WORDS",
    "Figure",
    "alone",
    "amount",
    "check_folder",
    "check_writable",
    "describe",
    "document",
    "environment",
    "environment_facts",
    "explained",
    "facts_html",
    "figure_html",
    "next_html",
    "note_html",
    "npz_path",
    "page",
    "percent",
    "plain",
    "plan_bytes",
    "print_table",
    "print_tables",
    "save_plan",
    "settled",
    "significant",
    "slug",
    "terms_html",
    "to_json",
    "typeset",
    "unsettled",
    "write_files",
]
