"""Reports of a run: a JSON record, parts of HTML pages, tables, and files that are written whole or not at all."""

from otgan.report.columns import amount, settled, unsettled
from otgan.report.files import npz_path, plan_bytes, save_plan, slug
from otgan.report.html import (
    Figure,
    command_html,
    document,
    environment_facts,
    facts_html,
    figure_html,
    next_html,
    note_html,
    terms_html,
)
from otgan.report.lock import exclusive_lock
from otgan.report.numbers import percent, significant, typeset
from otgan.report.record import describe, distance_bounds, environment, plain, to_json
from otgan.report.terminal import print_table, print_tables
from otgan.report.truths import TRUTHS, truths_html, truths_of_check, truths_of_measurement
from otgan.report.words import WORDS, explained
from otgan.runtime.files import check_folder, check_writable, write_files

__all__ = [
    "TRUTHS",
    "WORDS",
    "Figure",
    "amount",
    "check_folder",
    "check_writable",
    "command_html",
    "describe",
    "distance_bounds",
    "document",
    "environment",
    "environment_facts",
    "exclusive_lock",
    "explained",
    "facts_html",
    "figure_html",
    "next_html",
    "note_html",
    "npz_path",
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
    "truths_html",
    "truths_of_check",
    "truths_of_measurement",
    "typeset",
    "unsettled",
    "write_files",
]
