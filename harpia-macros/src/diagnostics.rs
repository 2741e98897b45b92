//! Collects problems, so that all of them are reported in one run.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// What is wrong, and what to do about it.
pub(crate) struct Problem {
    message: String,
    help: String,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
        }
    }

    fn text(&self) -> String {
        format!("{}\n= help: {}", self.message, self.help)
    }
}

/// The problems found so far. Must be finished, or they would be lost.
#[must_use = "problems that are not finished are lost"]
pub(crate) struct Diagnostics {
    errors: Vec<syn::Error>,
}

impl Diagnostics {
    pub(crate) fn new() -> Self {
        Self { errors: Vec::new() }
    }

    /// Reports a problem at one token, or at the first of several.
    pub(crate) fn at(&mut self, span: Span, problem: Problem) {
        self.errors.push(syn::Error::new(span, problem.text()));
    }

    /// Reports a problem at a whole node. On stable Rust, `syn::Error::new_spanned` is the only way
    /// to join spans.
    pub(crate) fn on(&mut self, node: impl ToTokens, problem: Problem) {
        self.errors
            .push(syn::Error::new_spanned(node, problem.text()));
    }

    /// Reports an error that syn found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.errors.push(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// Returns the problems as compiler errors.
    pub(crate) fn finish(self) -> TokenStream {
        self.errors
            .iter()
            .map(syn::Error::to_compile_error)
            .collect()
    }
}
