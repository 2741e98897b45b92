//! What was tried against a server of harpia's, and the test that holds it off.
//!
//! Only words: nothing here is called. The tests stand beside the code and in the repository's
//! folder `tests`; one of them holds that every test named here is there.
//!
//! # Attacks
//!
//! | attack | what holds it off | tests |
//! |---|---|---|
//! | **Cross-site hijack**: a page of another site opens a socket with its visitor's cookies | The handshake's origin must be the server's own, or a listed one: scheme, host and port. Else 403, before the upgrade | `a_page_of_another_origin_is_403_and_one_of_ours_is_not`, in Chromium `a_page_of_another_origin_is_refused_and_one_of_its_own_is_let_in` |
//! | The same from another port of the host, where `SameSite` lets the cookie through | The origin's port counts | `same_site_keeps_the_session_from_other_sites_but_not_from_other_ports` |
//! | The same from a page without TLS, which anyone on the way can write | A list of origins is exact, its scheme too; without one, such a page is refused where a proxy says that the request came over TLS | `a_list_allows_exactly_its_origins`, `a_page_without_tls_is_403_where_a_proxy_says_that_the_request_had_it` |
//! | **DNS rebinding**: a name of the attacker's is made to lead to the server, so that its page and the request agree | A list of origins, in which the server's own host is only if it is named | `a_list_of_origins_leaves_out_the_servers_own` |
//! | The same through a route that was opened to all pages | `origins = any` does not compile where cookies or a session are read, is refused as the app is built, or warned of | `attribute/any_origin_with_a_session.rs`, `attribute/any_origin_with_cookies.rs`, `an_app_refuses_any_origin_where_a_route_reads_cookies`, `a_cookie_that_is_read_where_any_page_may_connect_is_warned_of_once`, `data_that_reads_all_headers_is_warned_of_once_they_bring_a_cookie` |
//! | **A token in a broadcast**: the first message goes to all others | It goes to `auth` alone; until that is `Ok` the connection takes part in nothing | `the_first_message_is_for_auth_alone_and_then_open_is_called`, `the_first_message_lets_in_and_reaches_nobody_else`, `before_auth_a_connection_hears_nothing_and_is_not_counted` |
//! | Speaking in a room without being let in, by what `auth`, `open` or `close` publish | It waits until the connection is active, and is forgotten if it never is | `who_is_refused_or_closed_in_auth_publishes_nothing`, `who_fails_in_open_publishes_nothing_by_its_close_handler_either`, `who_is_closed_while_open_waits_publishes_nothing` |
//! | A route that looks authenticated and is not: `auth` misspelt, behind `#[cfg]`, without a result | A compile error | `handler/authenticate.rs`, `handler/auth_behind_cfg.rs`, `handler/auth_behind_cfg_attr.rs`, `handler/raw_auth_without_first.rs`, `item/macro_call.rs`, `handler/auth_without_result.rs`, `handler/auth_without_first.rs`, `attribute/auth_timeout_without_auth.rs` |
//! | Holding connections open without a token | 1008 "Auth Timeout", for `auth` itself too; pings do not extend it | `silence_is_1008_auth_timeout_and_pings_are_no_excuse`, `an_auth_that_never_returns_is_dropped_and_1008_auth_timeout`, `a_body_that_never_arrives_is_a_timeout` |
//! | Filling the memory with first messages that never end | At most 16 KiB each, and all of them 64 MiB, apart from what those who are in may hold | `a_longer_first_message_is_1009_as_soon_as_it_says_so`, `who_is_not_in_yet_takes_no_input_memory_of_those_who_are` |
//! | **Algorithm confusion**: a public key used as an HMAC secret, `none`, another algorithm than the key's | The key alone decides; what the token says must agree | `a_public_key_used_as_an_hmac_secret_is_rejected`, `the_algorithm_none_is_rejected`, `a_key_verifies_only_tokens_of_its_own_algorithm`, `a_public_key_in_pem_is_not_accepted_as_a_secret` |
//! | A token that brings its own key or rules: `jwk`, `kid`, `crit` | Keys are the program's; a `kid` chooses among them and nothing else | `a_key_is_found_only_by_its_kid`, `a_token_is_verified_only_by_the_key_that_its_kid_names`, `a_key_inside_the_token_is_not_used`, `a_header_with_a_critical_extension_is_rejected` |
//! | A token that was cut, changed or is of no use: too long, too early, for another audience | One error for the client, the reason for the log | `a_truncated_or_changed_token_is_rejected`, `a_token_is_valid_only_between_nbf_and_exp`, `the_audience_and_the_issuer_must_be_the_required_ones`, `a_token_with_an_audience_is_rejected_if_none_is_required`, `arbitrary_claims_are_accepted_only_while_they_are_valid`, `a_token_of_more_than_8_kib_is_rejected_before_it_is_decoded` |
//! | **An expired token kept open**: it was good at the handshake, and the connection lives on | With each source the connection closes when its token expires: 4401 | `a_connection_closes_when_its_token_expires_wherever_it_came_from`, `a_fresh_token_extends_and_a_bad_one_ends` |
//! | The same where the machine sleeps, or its clock is set | The expiry is a time of day, compared with the system's clock | `an_expiry_is_over_by_the_time_of_day_however_little_time_has_passed`, `a_token_that_runs_out_by_the_time_of_day_ends_its_connection` |
//! | **Session fixation**: an id that was planted before the login is the visitor's after it | Only the server makes ids; `rotate` gives a new one and ends the old; a login always makes one, and ends the former | `the_former_session_is_deleted_and_its_id_reported`, `after_a_rotation_only_the_new_id_works`, `of_many_rotations_one_wins_and_the_old_id_is_dead`, in Chromium `the_cookie_is_kept_from_scripts_and_changes_with_each_login` |
//! | **Login in another's name**: a page of another site sends the login form, with an account of its own | `Session::login` takes forms of its own origin only | `a_form_of_another_sites_page_is_rejected_and_one_of_an_own_page_is_not`, `profile_takes_no_form_from_a_page_of_another_site` |
//! | A cookie that looks like the session's: a name with an escape or a blank, a second one | Names are compared as they came; of two the first wins, as browsers order them | `a_lookalike_name_is_not_taken_for_another_cookie`, `a_cookie_that_only_looks_like_the_hosts_own_is_no_session`, `the_first_cookie_of_a_name_wins_across_headers` |
//! | A logged-out session that lives on in an open socket | [`Hub::disconnect_topic`](crate::Hub::disconnect_topic) closes them all | `who_subscribed_in_open_is_closed_before_it_was_active`, in Chromium `who_logs_in_is_welcomed_and_hears_what_changes_in_every_window_until_logging_out` |
//! | A stolen cookie: read by a script, or on the way | `HttpOnly` and `Secure`, unless told otherwise | `the_default_attributes_are_safe`, in Chromium `a_secure_cookie_is_kept_on_ones_own_machine_and_never_travels_in_the_open` |
//! | **Store-key injection**: an id that names another key of the store | An id is 32 digits or none, and gets a prefix | `a_client_can_only_reach_the_key_of_a_session`, `text_in_another_form_is_not_an_id`, `two_kinds_of_sessions_in_one_store_are_separated_by_their_prefix` |
//! | Filling the memory with cookies of the smallest kind, before any login | At most three times what was sent is kept | `cookies_take_at_most_three_times_the_bytes_that_were_sent` |
//! | Attributes smuggled into a cookie | Names and values are checked as the sessions are made | `names_and_attributes_cannot_add_another_attribute`, `a_cookie_name_with_attributes_panics` |
//! | **Timing**: how long a refusal takes tells how much was right | Signatures and ids are compared in constant time; keys of a store are found by a seeded hash | `a_comparison_reads_every_digit_wherever_two_ids_differ` |
//! | **Log leak**: a token, cookie, id or password in a log, an error or a `Debug` | Error texts hold names, no values; `Debug` of what holds a secret does not show it | `a_profile_leaves_no_password_and_no_session_in_any_log`, `a_token_is_in_no_log_whichever_way_it_comes_and_whatever_becomes_of_it`, `debug_and_errors_show_neither_id_nor_data`, `claims_of_another_type_are_named_and_not_quoted`, `a_token_that_is_sent_as_another_type_is_in_no_log`, `no_error_quotes_what_the_client_sent`, `no_log_holds_a_token_though_the_handler_that_read_it_panics`, `the_debug_of_a_plain_request_shows_no_secret_of_its_headers`, `no_error_of_redis_holds_the_id_or_the_data` |
//! | Filling the store of sessions until real ones are thrown out | A full store refuses new ones, and keeps who is in | `a_full_store_refuses_the_new_and_keeps_the_old`, `a_full_map_rejects_an_insert_and_removes_no_live_entry` |
//! | Two changes of one session, of which one is lost | Compare and set, in memory and in Redis | `no_concurrent_change_is_lost`, `concurrent_changes_on_two_nodes_lose_nothing` |
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
