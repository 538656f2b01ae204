"""Who may harm what is sent, and what may break on its way: every threat and every fault of replication with its proofs.

The tables fail when a test that they name is renamed, removed or switched off.
"""

from __future__ import annotations

import pytest

from tests.faults.test_index import there

FORMAT = "sync/test_batch_format::"
BOMBS = "fuzz/test_bombs::"
SIM = ("simulation/test_simulation_even::test_nothing_is_lost_doubled_or_forged",
       "simulation/test_simulation_odd::test_nothing_is_lost_doubled_or_forged_either")  # fmt: skip
ITSELF = "simulation/test_simulation_itself::"
SCANS = "sync/test_office_attachments::"
POWER = "faults/test_powercut::"

THREATS = {
    "a network that alters or replays": (
        f"{FORMAT}test_every_flipped_bit_of_every_byte_is_refused", f"{FORMAT}test_every_truncation_and_every_tail_is_refused",
        "sync/test_exchange_hub::test_the_same_batch_again_brings_the_identical_receipt",
        "sync/test_exchange_bad_lines::test_a_nonce_that_was_lost_is_no_fault",
    ),
    "a courier who drops, reorders or keeps a copy": (
        "sync/test_courier_volume::test_usb_any_subset_any_order", "sync/test_sealed_courier::test_a_stranger_learns_only_the_rough_size",
        "end2end/test_pieces_by_stick::test_nobodys_word_but_the_centres_counts",
        "end2end/test_pieces_by_stick::test_an_old_word_does_not_undo_what_is_known_since",
    ),
    "a hub that forges, drops or shows two faces": (
        "end2end/test_hub_equivocation::test_hub_equivocation_detected",
        "sync/test_exchange_bad_lines::test_a_forged_receipt_turns_nothing_green",
        "sync/test_receipts_notes::test_a_smaller_older_or_different_log_is_a_rollback",
    ),
    "a hub put back from an old copy": (
        "sync/test_exchange_hub::test_a_hub_restored_from_a_backup_gets_everything_again",
        "hub/test_hub_readmission::test_what_waited_is_accepted_and_the_second_time_changes_nothing",
        "sync/test_pruning::test_a_hub_that_was_put_back_loses_nothing_after_pruning",
        "hub/test_hub_whole::test_a_restored_hub_begins_a_new_life_and_names_what_survived",
        "end2end/test_pieces_by_stick::test_a_centre_put_back_from_an_older_copy_gets_them_again", *SIM,
    ),
    "a laptop stolen while it was off": (
        "end2end/test_s11_stolen::test_the_disk_holds_no_plaintext",
        "end2end/test_s11_stolen::test_a_guess_costs_half_a_second_and_the_lock_grows",
        "sync/store/test_keys::test_no_key_and_no_name_of_a_draft_stands_in_any_file",
    ),
    "a laptop stolen while it was open": (
        "sync/store/test_lock_memory::test_wiping_overwrites_bytes_and_text_and_spares_what_is_shared",
        "sync/store/test_keys::test_nothing_secret_is_left_after_locking",
        "sync/test_withdrawn_laptop::test_unsent_work_is_put_aside_before_the_keys_go",
    ),
    "an insider who edits an old record": (
        "sync/test_ops_format::test_a_changed_moved_or_missing_op_breaks_the_chain", "sync/store/test_care::test_an_altered_op_is_found",
        "end2end/test_s17_inspector::test_a_careful_forger_with_the_laptops_keys_is_found_by_the_cosignature",
    ),
    "a revoked laptop that goes on sending": (
        "hub/test_hub_ingest::test_a_revoked_laptop_is_stored_receipted_and_quarantined",
        "hub/test_hub_ingest::test_a_revoked_laptop_does_not_slip_below_the_cutoff_by_claiming_low_numbers",
        f"{ITSELF}test_a_mutant_of_the_product_loses_something",
    ),
    "two laptops with one key": (
        "hub/test_hub_ingest::test_two_laptops_with_one_key_fork_and_lose_nothing",
        "sync/test_cloned_laptop::test_the_second_copy_becomes_a_laptop_of_its_own",
        "sync/test_cloned_laptop::test_three_copies_never_share_a_number_once_the_centre_has_seen_them", *SIM,
    ),
    "an old trust list played again": (
        "sync/test_publications_down::test_an_older_copy_rolls_nothing_back",
        "sync/test_publications_down::test_setting_the_clock_back_revives_nothing",
        "sync/test_publications_down::test_a_cached_role_is_verified_against_its_present_delegator",
    ),
    "zip and CBOR bombs": (
        f"{BOMBS}test_bombs_zstd_in_a_signed_batch", f"{BOMBS}test_bombs_zstd_in_a_sealed_group",
        f"{BOMBS}test_bombs_zstd_in_qr_pictures",
        f"{BOMBS}test_bombs_zstd_between_laptops_of_an_office", f"{BOMBS}test_bombs_zstd_with_a_huge_window", f"{BOMBS}test_bombs_cbor",
        f"{BOMBS}test_bombs_volume_heads", f"{BOMBS}test_bombs_pictures",
        "sync/test_cbor_strict::test_bombs_and_oddities_are_refused_at_once",
    ),
    "bytes that no reader expects": (
        "fuzz/test_fuzz_parsers::test_spoiled_bytes_are_refused_in_words",
        "fuzz/test_fuzz_parsers::test_every_reader_of_foreign_bytes_is_tried",
    ),
    "another key put in at the enrolment": (
        "sync/test_office_pack::test_a_request_cannot_be_given_another_key_on_the_way",
        "hub/test_hub_enrolment::test_a_wrong_code_is_refused_and_five_lock_the_slot",
        "hub/test_hub_readmission::test_nobody_comes_in_by_a_certificate_that_is_not_ours",
    ),
    "oddities of signatures": (
        f"{FORMAT}test_signature_is_not_identity", "sync/test_cose_sign1::test_a_signature_with_a_non_canonical_scalar_is_refused",
    ),
    "an admin who reads citizens' answers": (
        "end2end/test_agency_desk::test_answers_are_read_at_the_agency_and_nowhere_between",
        "hub/test_hub_enrolment::test_the_hub_keeps_no_code_and_no_private_seal",
    ),
    "a laptop that shows the agency another body": (
        f"{FORMAT}test_another_body_than_the_op_committed_to_is_found", "sync/test_ops_format::test_a_commitment_binds_body_op_and_seed",
    ),
    "a form that nobody signed": (
        "modules/forms/test_forms_definition::test_a_tampered_definition_is_refused",
        "sync/test_publications_down::test_a_role_signs_only_what_was_delegated_to_it",
    ),
}  # fmt: skip

FAULTS = {
    "killed at every write point": (
        "faults/test_write_points::test_a_laptop_that_dies_at_every_write_point",
        "faults/test_write_points::test_a_hub_that_dies_at_every_write_point_of_taking_a_batch",
        "faults/test_kill::test_twenty_five_kills_lose_and_double_nothing", f"{ITSELF}test_the_days_pass_every_write_point", *SIM,
    ),
    "power cut": (
        f"{POWER}test_no_power_cut_takes_what_a_laptop_acknowledged", f"{POWER}test_no_power_cut_takes_what_the_hub_receipted",
        f"{POWER}test_without_syncing_acknowledged_work_would_be_lost",
    ),
    "disk full": (
        "sync/store/test_store_work::test_a_full_disk_is_known_and_leaves_nothing_half_written",
        "faults/test_disk_full::test_a_full_hub_says_busy_and_takes_everything_once_it_has_room",
        "hub/test_hub_projections::test_a_full_disk_is_no_mistake_of_a_module", *SIM,
    ),
    "corrupt page": ("sync/store/test_store_life::test_thirty_flipped_bits_are_thirty_findings",),
    "clock jumps": (
        "end2end/test_s18_clock::test_s18_a_wrong_clock_blocks_nothing",
        "sync/test_exchange_hub::test_a_run_is_due_when_there_is_a_reason", *SIM,
    ),
    "duplicate, reorder, drop, truncate, tamper, lost answer": (
        f"{ITSELF}test_every_fault_of_the_line_and_every_calamity_happens",
        "hub/test_hub_ingest::test_any_order_any_number_of_times_gives_the_same_chain", *SIM,
    ),
    "slow, cut after some bytes, busy": (
        "end2end/test_s01_bad_line::test_records_within_a_minute_then_scans_by_pieces",
        "sync/test_exchange_bad_lines::test_a_busy_hub_says_when_to_come_back",
    ),
    "attachments of a colleague that come to the hub from another laptop": (
        f"{SCANS}test_they_come_over_the_lan_and_go_on_to_the_hub_after_ones_own", f"{SCANS}test_killed_anywhere_it_goes_on",
        f"{SCANS}test_a_line_that_is_cut_in_the_middle_goes_on_where_it_was",
        f"{SCANS}test_a_tampered_piece_is_refused_here_and_asked_for_again",
        f"{SCANS}test_a_full_disk_keeps_the_pieces_until_there_is_room",
    ),
    "more pieces lost than one question holds": (
        f"{SCANS}test_after_a_restore_the_oldest_of_many_is_found_even_when_the_line_is_cut",
        f"{SCANS}test_a_single_loss_is_found_in_time",
    ),
    "a migration half done": (
        "sync/store/test_migrate::test_a_power_cut_in_every_step_of_the_first_migration_leaves_it_whole_or_absent",
        "sync/store/test_migrate::test_a_step_that_fails_leaves_nothing_and_those_before_it_stay",
    ),
    "work that never gets through": (*SIM, "sync/test_exchange_hub::test_back_off_grows_spreads_and_never_gives_up"),
    "a rule of the protocol that is given up": (
        f"{ITSELF}test_a_mutant_of_the_product_loses_something", f"{ITSELF}test_have_want_makes_good_what_a_careless_hub_forgot",
        f"{ITSELF}test_the_same_seed_is_the_same_day",
    ),
}  # fmt: skip


@pytest.mark.parametrize("threat", THREATS)
def test_every_threat_has_its_proofs(threat: str) -> None:
    assert [test for test in THREATS[threat] if not there(test)] == []


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_replication_has_its_proofs(fault: str) -> None:
    assert [test for test in FAULTS[fault] if not there(test)] == []
