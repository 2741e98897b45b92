//! What was tried against a server of harpia's, and the test that holds it off.
//!
//! Only words: nothing here is called. The tests stand beside the code and in the repository's
//! folder `tests`; one of them holds that every test named here is there.
//!
//! # Attacks
//!
//! | attack | what holds it off | tests |
//! |---|---|---|
//! | **Cross-site hijack**: a page of another site opens a socket with its visitor's cookies | The handshake's origin must be the server's own, or a listed one: scheme, host and port. Else 403, before the upgrade | `a_page_of_another_origin_is_403_and_a_page_of_the_server_connects`, in Chromium `a_page_of_another_origin_is_rejected_and_the_servers_own_page_connects` |
//! | The same from another port of the host, where `SameSite` lets the cookie through | The origin's port counts | `same_site_withholds_the_session_from_other_sites_but_not_from_other_ports` |
//! | The same from a page without TLS, which anyone on the way can write | A list of origins is exact, its scheme too; without one, such a page is refused where a proxy says that the request came over TLS | `a_list_is_exactly_what_it_names`, `a_page_without_tls_is_403_if_a_proxy_reports_tls` |
//! | **DNS rebinding**: a name of the attacker's is made to lead to the server, so that its page and the request agree | A list of origins, in which the server's own host is only if it is named | `a_list_of_origins_does_not_include_the_servers_own` |
//! | The same through a route that was opened to all pages | `origins = any` does not compile where cookies or a session are read, is refused as the app is built, or warned of | `attribute/any_origin_with_a_session.rs`, `attribute/any_origin_with_cookies.rs`, `an_app_refuses_any_origin_where_a_route_reads_cookies`, `a_cookie_that_is_read_where_any_page_may_connect_is_warned_of_once`, `data_that_reads_all_headers_is_warned_of_once_they_bring_a_cookie` |
//! | **A token in a broadcast**: the first message goes to all others | It goes to `auth` alone; until that is `Ok` the connection takes part in nothing | `only_auth_gets_the_first_message_and_open_follows`, `a_token_as_first_message_authenticates_and_is_not_broadcast`, `an_unauthenticated_connection_receives_no_broadcast_and_is_not_counted` |
//! | Speaking in a room without being let in, by what `auth`, `open` or `close` publish | It waits until the connection is active, and is forgotten if it never is | `a_connection_rejected_or_closed_in_auth_publishes_nothing`, `a_connection_whose_open_fails_publishes_nothing_even_from_close`, `a_connection_closed_during_open_publishes_nothing` |
//! | A route that looks authenticated and is not: `auth` misspelt, behind `#[cfg]`, without a result | A compile error | `handler/authenticate.rs`, `handler/auth_behind_cfg.rs`, `handler/auth_behind_cfg_attr.rs`, `handler/raw_auth_without_first.rs`, `item/macro_call.rs`, `handler/auth_without_result.rs`, `handler/auth_without_first.rs`, `attribute/auth_timeout_without_auth.rs` |
//! | Holding connections open without a token | 1008 "Auth Timeout", for `auth` itself too; pings do not extend it | `a_client_that_sends_only_pings_is_closed_with_1008_auth_timeout`, `an_auth_that_never_returns_is_cancelled_with_1008_auth_timeout`, `who_sends_no_body_is_not_waited_for` |
//! | Filling the memory with first messages that never end | At most 16 KiB each, and all of them 64 MiB, apart from what those who are in may hold | `a_first_message_over_16_kib_closes_with_1009_once_its_length_is_announced`, `who_is_not_in_yet_takes_no_input_memory_of_those_who_are` |
//! | **Algorithm confusion**: a public key used as an HMAC secret, `none`, another algorithm than the key's | The key alone decides; what the token says must agree | `a_public_key_used_as_an_hmac_secret_is_refused`, `the_algorithm_none_is_refused`, `each_algorithm_verifies_what_its_key_signed_and_nothing_else_does`, `a_public_key_in_pem_is_no_secret_whatever_surrounds_it` |
//! | A token that brings its own key or rules: `jwk`, `kid`, `crit` | Keys are the program's; a `kid` chooses among them and nothing else | `a_key_is_found_by_its_kid_alone`, `of_keys_of_several_algorithms_only_the_one_that_the_kid_names_verifies`, `a_key_that_the_token_brings_along_verifies_nothing`, `a_header_that_demands_an_extension_is_refused` |
//! | A token that was cut, changed or is of no use: too long, too early, for another audience | One error for the client, the reason for the log | `a_token_that_was_cut_or_changed_is_refused`, `a_token_says_when_it_holds`, `audience_and_issuer_are_those_asked_for`, `a_token_that_is_for_someone_is_refused_where_nobody_is_asked_for`, `claims_of_any_kind_are_taken_only_while_they_hold`, `a_token_longer_than_8_kib_is_refused_before_any_work` |
//! | **An expired token kept open**: it was good at the handshake, and the connection lives on | With each source the connection closes when its token expires: 4401 | `a_connection_closes_with_4401_when_its_token_expires`, `a_fresh_token_extends_the_connection_and_an_invalid_one_closes_it` |
//! | The same where the machine sleeps, or its clock is set | The expiry is a time of day, compared with the system's clock | `an_expiry_is_over_by_the_time_of_day_however_little_time_has_passed`, `a_token_that_runs_out_by_the_time_of_day_ends_its_connection` |
//! | **Session fixation**: an id that was planted before the login is the visitor's after it | Only the server makes ids; `rotate` gives a new one and ends the old; a login always makes one, and ends the former | `the_session_that_the_cookie_named_is_ended_and_told_of`, `after_a_rotation_only_the_new_id_works`, `exactly_one_of_many_rotations_succeeds_and_the_old_id_stops_working`, in Chromium `scripts_cannot_read_the_cookie_and_each_login_changes_it` |
//! | **Login in another's name**: a page of another site sends the login form, with an account of its own | `Session::login` takes forms of its own origin only | `a_form_of_another_sites_page_is_refused_and_programs_and_own_pages_are_not`, `profile_rejects_forms_from_pages_of_other_sites` |
//! | A cookie that looks like the session's: a name with an escape or a blank, a second one | Names are compared as they came; of two the first wins, as browsers order them | `no_name_passes_for_another_that_it_looks_like`, `a_cookie_whose_name_only_resembles_the_session_cookie_is_ignored`, `the_first_of_one_name_wins_over_all_headers` |
//! | A logged-out session that lives on in an open socket | [`Hub::disconnect_topic`](crate::Hub::disconnect_topic) closes them all | `disconnect_topic_closes_a_subscriber_while_its_open_runs`, in Chromium `every_window_receives_profile_updates_until_the_user_logs_out` |
//! | A stolen cookie: read by a script, or on the way | `HttpOnly` and `Secure`, unless told otherwise | `the_attributes_are_safe_unless_told_otherwise`, in Chromium `a_secure_cookie_is_kept_on_localhost_but_never_sent_in_plain_text` |
//! | **Store-key injection**: an id that names another key of the store | An id is 32 digits or none, and gets a prefix | `a_client_reaches_no_key_but_a_sessions_own`, `what_has_not_the_form_is_none`, `two_kinds_in_one_store_are_kept_apart_by_their_prefix` |
//! | Filling the memory with cookies of the smallest kind, before any login | At most three times what was sent is kept | `what_is_kept_is_at_most_three_times_what_was_sent` |
//! | Attributes smuggled into a cookie | Names and values are checked as the sessions are made | `names_and_attributes_cannot_add_a_second_one`, `a_cookies_name_cannot_smuggle_attributes` |
//! | **Timing**: how long a refusal takes tells how much was right | Signatures and ids are compared in constant time; keys of a store are found by a seeded hash | `a_comparison_looks_at_every_digit_wherever_two_ids_differ` |
//! | **Log leak**: a token, cookie, id or password in a log, an error or a `Debug` | Error texts hold names, no values; `Debug` of what holds a secret does not show it | `the_profile_example_logs_no_password_and_no_session_id`, `the_jwt_example_logs_no_token`, `neither_id_nor_data_is_printed`, `claims_that_do_not_fit_are_named_and_not_quoted`, `a_token_of_the_wrong_type_does_not_reach_the_log`, `no_error_holds_what_was_sent`, `tokens_do_not_reach_the_log_even_if_the_handler_panics`, `debug_output_of_a_plain_request_shows_no_secret`, `no_redis_error_contains_the_id_or_the_data` |
//! | Filling the store of sessions until real ones are thrown out | A full store refuses new ones, and keeps who is in | `a_full_store_rejects_new_sessions_and_keeps_existing_ones`, `a_full_table_refuses_and_throws_no_live_entry_out` |
//! | Two changes of one session, of which one is lost | Compare and set, in memory and in Redis | `concurrent_changes_lose_nothing`, `concurrent_updates_on_two_nodes_lose_nothing` |
//!
//! # What is left to you
//!
//! - A script in your own page can use the socket as its visitor does: keep foreign code out of it.
//! - Forms other than a login are yours to guard:
//!   [`is_same_origin`](crate::extract::is_same_origin) says what to refuse.
//! - A socket outlives its session, and a token its logout: end the one with
//!   [`Hub::disconnect_topic`](crate::Hub::disconnect_topic), and have `auth` ask a list for the
//!   other, by its `jti` or `sub`.
//! - A token that is stolen is good until it expires: make that soon, and send it as a message or in
//!   a cookie. In the query it is in the logs of others.
//! - harpia limits what one connection does, not how many one address opens, nor how often someone
//!   guesses a password.
//! - Behind a proxy, TLS ends there: have it redirect plain HTTP, send `Strict-Transport-Security`, and
//!   say in `X-Forwarded-Proto` that the request came over TLS. A list of origins is safer still.
