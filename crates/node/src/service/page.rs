//! Pages: cursors are text that the caller gives back as it was.

use std::str::FromStr;
use yulian_api::{ApiError, Code, PageRequest};

/// The cursor of a page as numbers or names, or `None` for the first page.
pub(super) fn cursor<T: FromStr>(page: &PageRequest) -> Result<Option<T>, ApiError> {
    let parse = |text: &String| text.parse().map_err(|_| ApiError::new(Code::BadCursor));
    page.cursor.as_ref().map(parse).transpose()
}

/// A place among deposits: height and index of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(pub(super) u64, pub(super) u32);

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (height, index) = text.split_once('.').ok_or(())?;
        Ok(Self(height.parse().map_err(drop)?, index.parse().map_err(drop)?))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Cuts a list to one page. `list` holds one item more than the page if there is a next page; `name` makes the cursor
/// of the last item shown.
pub(super) fn cut<T>(mut list: Vec<T>, limit: usize, name: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
    let more = list.len() > limit;
    list.truncate(limit);
    let next = list.last().filter(|_| more).map(name);
    (list, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_were_shown_and_nothing_else_is() {
        let place = Place(7, 9);
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in ["", "7", "7.", ".9", "7.9.1", "a.b", "-1.0"] {
            assert_eq!(text.parse::<Place>(), Err(()), "{text}");
        }
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        assert_eq!(cut(vec![1, 2, 3], 2, i32::to_string), (vec![1, 2], Some("2".into())));
        assert_eq!(cut(vec![1, 2], 2, i32::to_string), (vec![1, 2], None));
    }
}
