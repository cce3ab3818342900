"""Which tests stand for the ids that are no fixtures: settings, buckets, links."""

from __future__ import annotations

TESTS: dict[str, tuple[str, ...]] = {
    "I38": ("analysis/test_downsample.py::test_a_spike_of_one_step_in_a_million_survives",),
    "I43": ("export/test_data.py::test_no_cell_begins_like_a_formula",),
    "I54": (
        "storage/test_fetching.py::test_a_compressed_object_is_checked_as_stored_and_read_decoded",
        "storage/test_fetching.py::test_a_compressed_object_is_known_however_its_encoding_is_written",
    ),
    "I62": (
        "test_settings.py::test_env_file_is_not_executed_or_expanded",
        "test_settings.py::test_unreadable_env_file_is_a_sentence",
        "bad_inputs/test_elsewhere.py::test_a_line_that_is_no_setting_is_named_and_not_repeated",
    ),
    "I63": (
        "bad_inputs/test_elsewhere.py::test_secrets_that_everybody_may_read_are_told",
        "bad_inputs/test_elsewhere.py::test_secrets_that_git_tracks_are_told",
    ),
    "I64": (
        "sources/test_safe_names.py::test_no_path_leads_out_of_its_folder",
        "sources/test_cache.py::test_any_names_are_told_apart_and_stay_inside",
    ),
    "I65": ("sources/test_safe_names.py::test_any_name_fits_any_file_system",),
    "I66": ("sources/test_safe_names.py::test_a_name_that_has_to_change_still_reads",),
    "I67": ("cli/test_cli.py::test_odd_names_stay_on_their_line",),
    "I69": (
        "sources/test_safe_names.py::test_names_that_are_one_to_some_file_system_are_told_apart",
    ),
    "I71": ("ui/test_text.py::test_long_names_are_cut_and_say_so",),
    "I73": ("browser/test_buckets_browser.py::test_strange_names_round_trip_through_the_address",),
    "I74": ("sources/test_finding.py::test_an_ambiguous_end_lists_the_runs",),
    "I75": (
        "sources/test_address.py::test_what_is_no_name_is_refused_with_the_rule",
        "sources/test_address.py::test_a_password_is_never_repeated",
        "sources/test_address.py::test_any_text_is_a_legal_bucket_or_refused",
    ),
    "I76": (
        "storage/test_listing.py::test_places_that_open",
        "storage/test_listing.py::test_a_prefix_that_holds_nothing_names_the_nearest",
        "sources/test_address.py::test_what_is_meant_opens",
    ),
    "I78": (
        "sources/test_local.py::test_a_file_that_is_gone_is_one_sentence",
        "test_load_far.py::test_a_copy_that_goes_away_is_fetched_once_more",
        "bad_inputs/test_elsewhere.py::test_a_folder_that_may_not_be_listed_is_told",
    ),
    "I79": (
        "storage/test_listing.py::test_an_empty_bucket_holds_no_runs",
        "pages/test_pages.py::test_page_explains_an_empty_source",
        "test_load.py::test_an_empty_folder_is_one_sentence",
    ),
    "I80": (
        "storage/test_listing.py::test_a_thousand_runs_beside_a_hundred_thousand_checkpoint_files",
        "formats/test_jsonl.py::test_very_many_names_are_cut_at_the_cap",
        "bad_inputs/test_elsewhere.py::test_ten_thousand_runs_are_listed",
    ),
    "I81": ("bad_inputs/test_elsewhere.py::test_times_that_cannot_be_are_listed_in_order",),
    "I82": ("browser/test_app_browser.py::test_hostile_names_stay_text",),
    "I83": (
        "browser/test_app_browser.py::test_hostile_names_stay_text",
        "ui/test_text.py::test_no_markup_is_left_unescaped",
    ),
    "I84": (
        "analysis/test_surface.py::test_what_cannot_be_a_surface_gets_a_sentence",
        "figures/test_weight_space.py::test_large_grids_are_thinned_in_the_picture_alone",
    ),
    "I85": (
        "pages/test_links.py::test_junk_in_a_link_never_raises",
        "pages/test_links.py::test_junk_in_a_link_never_raises_in_other_views",
        "pages/test_links.py::test_junk_as_source_or_run_never_raises",
    ),
    "I86": (
        "ui/test_link_text.py::test_junk_is_no_state",
        "pages/test_links.py::test_unknown_digest_is_told",
    ),
}
"""Id -> tests, as path below ``tests`` and name."""
