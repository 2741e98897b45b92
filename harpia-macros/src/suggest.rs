//! Finds the known name that is nearest to an unknown one.

/// Returns the candidate that is a typing error away from a name.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let name = normalize(name);
    let ranked = candidates.into_iter().filter_map(|candidate| {
        let target = normalize(candidate);
        let allowed = match target.len() {
            0..=3 => 1,
            4..=6 => 2,
            _ => 3,
        };
        let distance = distance(&name, &target);
        let is_near = distance <= allowed.min(target.len().saturating_sub(1));
        is_near.then_some((distance, candidate))
    });
    let (_, candidate) = ranked.min_by_key(|(distance, _)| *distance)?;
    Some(candidate)
}

/// Like [`nearest`], but also accepts a candidate that begins with the name, or with which the name
/// begins.
pub(crate) fn nearest_or_longer<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let begins = |candidate: &&str| {
        let (name, target) = (normalize(name), normalize(candidate));
        name.len() >= 3 && (target.starts_with(&name) || name.starts_with(&target))
    };
    let longer = || candidates.clone().into_iter().find(begins);
    nearest(name, candidates.clone()).or_else(longer)
}

/// Makes `onOpen` and `on_open` equal.
fn normalize(name: &str) -> String {
    name.chars()
        .filter(|c| *c != '_')
        .flat_map(char::to_lowercase)
        .collect()
}

/// Returns the Levenshtein distance, with a swap of two neighbors counted as one change.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substitution = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_found() {
        for (slip, meant) in [
            ("mesage", "message"),
            ("opne", "open"),
            ("massage", "message"),
        ] {
            assert_eq!(nearest(slip, ["open", "message", "close"]), Some(meant));
        }
        assert_eq!(nearest("dta", ["data", "ping", "rate"]), Some("data"));
    }

    #[test]
    fn a_beginning_is_found_where_it_is_asked_for() {
        assert_eq!(
            nearest_or_longer("room", ["user", "room_id"]),
            Some("room_id")
        );
        assert_eq!(nearest_or_longer("room_id", ["room"]), Some("room"));
        assert_eq!(nearest_or_longer("ro", ["room_id"]), None);
    }

    #[test]
    fn other_words_are_left_alone() {
        for word in ["history", "users", "reset", "x", "load", "close_room"] {
            assert_eq!(
                nearest(word, ["open", "message", "close", "drain", "error"]),
                None,
                "{word}"
            );
        }
    }
}
