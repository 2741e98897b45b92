//! Formats the user's code for error messages as a person would write it.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;

/// Returns code as a person writes it. `TokenStream::to_string` puts a space between all tokens,
/// and breaks lines.
pub(crate) fn text_of(node: &impl ToTokens) -> String {
    let printed = node.to_token_stream().to_string();
    let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = String::new();
    let mut rest = printed.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        if c != ' ' || !is_superfluous(&text, next) {
            text.push(c);
        }
    }
    text.replace(",)", ")")
}

/// Returns whether two tokens are written without a space between them.
fn is_superfluous(before: &str, next: char) -> bool {
    let after_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    before.ends_with(['(', '[', '<', '&', '\''])
        || before.ends_with("::")
        || matches!(next, ',' | ':' | ';' | ')' | ']' | '>')
        || (after_word && matches!(next, '(' | '<' | '!'))
}

/// Turns `ChatData` into `chat_data` or `chat-data`.
pub(crate) fn in_small_letters(name: &Ident, separator: char) -> String {
    let mut text = String::new();
    for c in name.unraw().to_string().chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push(separator);
        }
        text.extend(c.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_written_as_a_person_would() {
        for code in [
            "fn open(&self, ws: &mut Socket<ChatData>) -> Result<(), Box<dyn Error>>",
            "async fn message(&self, (x, y): (u8, [u8; 2]), _: &'a str)",
            "harpia::Socket<Vec<(u8, u8)>>",
        ] {
            let tokens: proc_macro2::TokenStream = code.parse().expect("these are tokens");
            assert_eq!(text_of(&tokens), code);
        }
    }

    #[test]
    fn names_of_types_become_names_of_fields_and_paths() {
        let name: Ident = syn::parse_quote!(ChatData);
        assert_eq!(in_small_letters(&name, '_'), "chat_data");
        assert_eq!(in_small_letters(&name, '-'), "chat-data");
    }
}
