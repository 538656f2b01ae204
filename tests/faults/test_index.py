"""Every fault that Sala promises to survive, and the tests that prove it: what is said, and that nothing is lost.

The table fails when one of its tests is renamed or removed, or when a code has no words any more.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from i18n.errors import catalogue

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Proof:
    """``codes``: what a person is told; none where work simply goes on. ``tests``: ``folder/file::function``."""

    codes: Sequence[str]
    refused: Sequence[str]
    kept: Sequence[str]


BAD = "faults/test_bad_input::"
LINE = "faults/test_line_faults::"
POINTS = "faults/test_write_points::"
FULL = "faults/test_disk_full::"
KILL = "faults/test_kill::"

FAULTS = {
    "wrong pack": Proof(
        ["SY-330", "SY-331"],
        [
            f"{BAD}test_a_wrong_pack_makes_no_profile", "sync/test_office_pack::test_every_damaged_byte_is_refused",
            "sync/test_office_pack::test_a_signer_that_is_not_pinned_is_refused_unless_its_digits_were_compared",
        ],
        [f"{BAD}test_a_pack_for_somebody_else_changes_nothing_here"],
    ),
    "wrong office": Proof(
        ["SY-332", "SY-333"],
        [f"{BAD}test_a_pack_for_somebody_else_changes_nothing_here", "sync/test_office_pack::test_a_second_setup_is_refused"],
        [f"{BAD}test_a_pack_for_somebody_else_changes_nothing_here"],
    ),
    "tampered form definition": Proof(
        ["FM-001"],
        ["modules/forms/test_forms_definition::test_a_tampered_definition_is_refused"],
        [f"{BAD}test_a_tampered_form_is_refused_and_the_work_begun_under_it_stays"],
    ),
    "CSV in a wrong encoding": Proof(
        ["MS-021", "MS-022"],
        ["modules/messages/test_messages_recipients::test_what_is_no_table_is_refused_with_its_reason"],
        [f"{BAD}test_a_list_in_a_wrong_encoding_leaves_the_message_as_it_was"],
    ),
    "Khmer digits and ZWSP in numeric fields": Proof(
        ["TX-001", "TX-011", "TX-020", "FM-013"],
        [f"{BAD}test_what_is_no_number_is_kept_as_typed_and_named"],
        [
            f"{BAD}test_khmer_digits_and_zwsp_are_the_number_that_was_meant",
            "modules/forms/test_forms_clean::test_digits_of_either_script_are_one_number",
        ],
    ),
    "50 MB attachment": Proof(
        ["FM-020", "SY-140", "MS-026", "CT-202", "FL-002"],
        [
            f"{BAD}test_fifty_megabytes_are_refused_before_they_are_read",
            "modules/forms/test_forms_attachments::test_fifty_megabytes_are_refused_before_they_are_read",
            "sync/store/test_blobs::test_a_file_over_the_limit_is_refused_before_it_is_read",
        ],
        ["modules/forms/test_forms_capture::test_a_fifty_megabyte_attachment_leaves_the_draft_as_it_was"],
    ),
    "inflating QR": Proof(
        [],  # a verdict, in both languages, and no refusal
        [
            f"{BAD}test_an_inflating_code_is_stopped_and_called_altered",
            "modules/certificates/test_cert_kh1::test_a_bomb_is_stopped_at_the_bound",
        ],
        ["modules/certificates/test_cert_sources::test_inflating_code_on_paper"],
    ),
    "truncated batch": Proof(
        ["HB-110", "SY-357"],
        [
            f"{LINE}test_a_cut_off_or_altered_batch_is_refused_and_the_whole_one_is_taken",
            "sync/test_batch_format::test_every_truncation_and_every_tail_is_refused",
        ],
        [
            "hub/test_hub_ingest::test_what_is_not_whole_is_refused_and_never_stored",
            "sync/test_volume_file::test_a_cut_off_file_gives_what_came_before",
        ],
    ),
    "altered batch byte": Proof(
        ["HB-110"],
        ["sync/test_batch_format::test_every_flipped_bit_of_every_byte_is_refused", "hub/test_hub_ingest::test_any_flipped_bit_is_noticed"],
        [
            f"{LINE}test_a_cut_off_or_altered_batch_is_refused_and_the_whole_one_is_taken",
            "sync/test_volume_file::test_damage_costs_only_what_it_hits",
        ],
    ),
    "replay": Proof(
        [],  # the identical receipt again
        ["hub/test_hub_ingest::test_the_same_batch_gets_the_identical_receipt_for_ever"],
        [
            "sync/test_exchange_hub::test_the_same_batch_again_brings_the_identical_receipt",
            "sync/test_exchange_hub::test_the_stick_adds_nothing_to_what_came_by_line",
            "sync/test_courier_volume::test_usb_any_subset_any_order",
        ],
    ),
    "hub down": Proof(
        ["SY-350"],
        [f"{LINE}test_without_a_hub_everything_waits_and_goes_later", "end2end/test_cli::test_without_a_centre"],
        ["sync/test_exchange_bad_lines::test_no_hub_loses_nothing_and_says_when_to_try_again"],
    ),
    "hub killed between receive and commit": Proof(
        ["SY-350"],
        [
            f"{POINTS}test_a_hub_that_dies_at_every_write_point_of_taking_a_batch",
            "hub/test_hub_kill::test_killed_between_receiving_and_answering",
        ],
        [f"{POINTS}test_a_hub_that_dies_at_every_write_point_of_taking_a_batch", f"{KILL}test_twenty_five_kills_lose_and_double_nothing"],
    ),
    "laptop killed at every write point of finish": Proof(
        [],
        ["modules/forms/test_forms_power::test_finishing_is_whole_or_not_at_all_at_every_write_point"],
        [
            f"{POINTS}test_a_laptop_that_dies_at_every_write_point",
            "modules/flows/test_flows_power::test_a_kill_at_any_point_leaves_all_of_a_flow_or_none_and_then_all",
        ],
    ),
    "laptop killed at every write point of cutting a batch": Proof(
        [],
        ["sync/test_exchange_bad_lines::test_a_power_cut_at_any_point_of_a_run_loses_and_doubles_nothing"],
        [f"{POINTS}test_a_laptop_that_dies_at_every_write_point", f"{KILL}test_twenty_five_kills_lose_and_double_nothing"],
    ),
    "disk full": Proof(
        ["SY-104", "SY-105", "SY-370", "HB-102", "SY-354", "FM-040", "CT-150", "LN-009"],
        [
            f"{FULL}test_finishing_on_a_full_disk_keeps_the_draft_and_the_number",
            f"{FULL}test_typing_on_a_full_disk_keeps_every_answer_that_was_kept",
            f"{FULL}test_a_full_stick_is_said_and_holds_nothing_half", f"{FULL}test_papers_for_a_full_stick_are_not_counted",
            f"{FULL}test_unlocking_on_a_full_disk_is_refused_in_words_or_works",
            "sync/store/test_store_work::test_a_full_disk_is_known_and_leaves_nothing_half_written",
            "hub/test_hub_storage::test_a_full_disk_is_said_in_words",
        ],
        [
            f"{FULL}test_a_full_hub_says_busy_and_takes_everything_once_it_has_room",
            f"{FULL}test_an_attachment_without_room_leaves_no_piece",
            f"{FULL}test_the_ballast_lets_an_officer_in_and_finish_what_is_begun",
            "sync/store/test_store_work::test_the_ballast_goes_when_the_disk_is_full_and_returns_with_room",
        ],
    ),
    "wrong clock by −3 years": Proof(
        ["CT-120"],
        ["modules/certificates/test_cert_issue::test_a_doubtful_clock_waits_for_a_word"],
        [
            f"{LINE}test_a_clock_three_years_behind_loses_and_revives_nothing",
            f"{LINE}test_a_laptop_that_never_knew_the_right_time_works_and_is_received",
            "sync/test_publications_down::test_setting_the_clock_back_revives_nothing",
        ],
    ),
    "newer database": Proof(
        ["SY-103", "SY-108", "HB-101"],
        [
            f"{BAD}test_a_newer_database_is_left_alone_and_opens_for_export",
            "hub/test_hub_storage::test_a_newer_database_is_not_touched",
            "sync/store/test_migrate::test_steps_of_a_newer_program_are_refused",
        ],
        ["sync/store/test_unlocking::test_a_profile_of_a_newer_program_opens_for_export_only"],
    ),
}  # fmt: skip


@cache
def functions_of(file: Path) -> frozenset[str]:
    """The test functions of a file that no marker switches off."""
    found = ast.parse(file.read_text("utf-8")).body
    functions = [node for node in found if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return frozenset(
        node.name for node in functions if not any("skip" in ast.unparse(mark) for mark in node.decorator_list)
    )


def there(test: str) -> bool:
    file, _, name = test.partition("::")
    path = ROOT / f"{file}.py"
    return path.is_file() and name in functions_of(path)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_proofs(fault: str) -> None:
    proof = FAULTS[fault]
    assert proof.refused and proof.kept
    assert [test for test in (*proof.refused, *proof.kept) if not there(test)] == []


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_said_in_both_languages(fault: str) -> None:
    for code in FAULTS[fault].codes:
        for language in ("km", "en"):
            assert all(catalogue()[code][language][part].strip() for part in ("what", "kept", "next")), (code, language)


def test_the_table_would_notice() -> None:
    assert not there("faults/test_index::test_that_was_removed")
    assert not there("faults/test_no_such_file::test_x")
    assert there("faults/test_index::test_the_table_would_notice")
