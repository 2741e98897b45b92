//! The macros of harpia.
use proc_macro::TokenStream;
/// x
#[proc_macro_attribute]
pub fn ws_route(_args: TokenStream, item: TokenStream) -> TokenStream {
    item
}
/// x
#[proc_macro_derive(FromHandshake, attributes(from))]
pub fn from_handshake(_item: TokenStream) -> TokenStream {
    TokenStream::new()
}
/// x
#[proc_macro]
pub fn routes(_items: TokenStream) -> TokenStream {
    TokenStream::new()
}
