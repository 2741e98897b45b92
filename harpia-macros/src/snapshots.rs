//! Snapshots of what the macros expand to, one expansion per file in `snapshots/`.
//!
//! `cargo insta review` (or `INSTA_UPDATE=always cargo test`) accepts a change. Read the difference
//! first: it is the code that every user compiles.

use proc_macro2::TokenStream;
use quote::quote;

fn assert_expansion(name: &str, tokens: TokenStream) {
    let file: syn::File = syn::parse2(tokens).expect("an expansion is Rust");
    let text = prettyplease::unparse(&file);
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn a_minimal_route() {
    let tokens = crate::ws_route_tokens(
        quote!("/chat"),
        quote! {
            impl Chat {
                fn message(&self) {}
            }
        },
    );
    assert_expansion("minimal", tokens);
}

#[test]
fn all_handlers_with_all_arguments() {
    let tokens = crate::ws_route_tokens(
        quote!("/chat", data = ChatData),
        quote! {
            impl Chat {
                async fn connect(&self, request: &Handshake) -> HandlerResult<ChatData> {
                    Ok(ChatData)
                }
                async fn auth(&self, ws: &mut Socket<ChatData>, first: String) -> HandlerResult {
                    Ok(())
                }
                async fn open(&self, ws: &mut Socket<ChatData>) -> HandlerResult {
                    Ok(())
                }
                async fn message(&self, ws: &mut Socket<ChatData>, message: String) -> Broadcast {
                    Broadcast::Skip
                }
                async fn close(&self, ws: &mut Socket<ChatData>, code: CloseCode, reason: &str) {}
                async fn drain(&self, ws: &mut Socket<ChatData>) {}
                async fn error(&self, ws: &mut Socket<ChatData>, error: &harpia::Error) {}

                fn not_a_handler(&self) {}
            }
        },
    );
    assert_expansion("all_handlers", tokens);
}

#[test]
fn sync_and_async_handlers_mixed_and_one_behind_cfg() {
    let tokens = crate::ws_route_tokens(
        quote!("/chat"),
        quote! {
            impl Chat {
                fn open(&self, ws: &mut Socket<Visitor>) {}
                async fn message(&self, _: Message) {}
                #[cfg(feature = "log")]
                async fn close(&self) {}
            }
        },
    );
    assert_expansion("sync_and_async", tokens);
}

#[test]
fn a_method_that_may_have_been_meant_as_a_handler() {
    let tokens = crate::ws_route_tokens(
        quote!("/chat"),
        quote! {
            impl Chat {
                fn open(&self) {}
                /// Sends the message to all.
                async fn mesage(&self, message: String) {}
            }
        },
    );
    assert_expansion("near_miss", tokens);
}

#[test]
fn path_parameters_by_value_by_reference_and_as_text() {
    let tokens = crate::ws_route_tokens(
        quote!("/games/{game}/{player}"),
        quote! {
            impl Game {
                fn open(&self, ws: &mut Socket, game: GameId, player: &str) {}
                fn message(&self, player: String, message: Json<Move>, game: &GameId) {}
            }
        },
    );
    assert_expansion("parameters", tokens);
}

#[test]
fn every_option() {
    let tokens = crate::ws_route_tokens(
        quote!(
            "/chat",
            data = (),
            broadcast = off,
            auth_timeout = "3s",
            max_message = "64KiB",
            idle_timeout = "2m",
            ping = off,
            write_timeout = "10s",
            message_timeout = "1min",
            handler_timeout = "20s",
            backlog = 1024,
            slow = skip,
            compression = "512B",
            rate = "50/s",
            byte_rate = "1MiB/s",
            publish_rate = off,
            max_topics = 100,
            max_topic_len = "64B",
            origins = ["https://example.com"],
            protocols = ["chat.v1", "chat.v2"],
            crate = my::harpia,
        ),
        quote! {
            impl Chat {
                async fn auth(&self, first: String) -> HandlerResult {
                    Ok(())
                }
                fn message(&self) -> Result<(), Refused> {
                    Ok(())
                }
            }
        },
    );
    assert_expansion("options", tokens);
}

#[test]
fn a_generic_route_of_any_origin() {
    let tokens = crate::ws_route_tokens(
        quote!("/feed", origins = any),
        quote! {
            impl<S: Store> Feed<S>
            where
                S: Send + Sync + 'static,
            {
                async fn open(&self, ws: &mut Socket<Visitor<S>>) {}
            }
        },
    );
    assert_expansion("generic", tokens);
}

#[test]
fn a_route_with_a_mistake_keeps_the_block_and_becomes_a_stub() {
    let tokens = crate::ws_route_tokens(
        quote!("/chat", dta = ChatData),
        quote! {
            impl Chat {
                fn message(&self, half typed) { let x = }
            }
        },
    );
    let text = tokens.to_string();
    assert!(text.contains("half typed"), "{text}");
    assert!(text.contains("did you mean `data`?"), "{text}");
}

#[test]
fn a_derive_from_every_place() {
    let tokens = crate::derive::from_handshake(quote! {
        struct ChatData<T> {
            cookies: Cookies,
            #[from(query)]
            room: Option<String>,
            #[from(query = "p")]
            page: u32,
            #[from(header)]
            user_agent: Option<String>,
            #[from(cookie = "sid")]
            session: String,
            #[from(path)]
            game: GameId,
            #[from(default)]
            user_id: Option<T>,
        }
    });
    assert_expansion("derive", tokens);
}

#[test]
fn routes_are_compared_two_by_two() {
    let tokens = crate::routes::routes(quote!(pub fn api; Chat, Room, admin::Log));
    assert_expansion("routes", tokens);
}
