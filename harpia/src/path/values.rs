//! The values of a path's parameters in one request.

use percent_encoding::percent_decode_str;

/// The values of a path's parameters in one request, percent-decoded once.
///
/// ```
/// use harpia::extract::PathValues;
///
/// // `/rooms/tea/seats/7` on `/rooms/{room}/seats/{seat}`
/// let values = PathValues::from_iter([("room", "tea"), ("seat", "7")]);
/// assert_eq!(values.get("room"), Some("tea"));
/// assert_eq!(values.parse("seat"), Ok(7));
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PathValues {
    values: Vec<(String, String)>,
}

impl PathValues {
    /// Returns the value of a parameter, or `None` if the path does not have it.
    ///
    /// ```
    /// use harpia::extract::PathValues;
    ///
    /// let values = PathValues::from_iter([("room", "7")]);
    /// assert_eq!(values.get("room"), Some("7"));
    /// assert_eq!(values.get("seat"), None);
    /// ```
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.values.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    /// Iterates over names and values, in the order of the path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.values.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for PathValues {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Self {
            values: pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        }
    }
}

/// Decodes one segment, or returns `None` if it is not UTF-8.
pub(crate) fn decode(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_decoded_exactly_once() {
        assert_eq!(decode("a%2Fb"), Some("a/b".into()));
        assert_eq!(decode("%2525"), Some("%25".into()));
        assert_eq!(decode("%FF"), None);
    }
}
