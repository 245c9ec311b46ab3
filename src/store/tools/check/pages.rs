//! What `store check` says of the vault's pages: which are damaged, of which table or index, which rows were on
//! them. Pages that nobody reads are looked at too.

use crate::vault::raw::Image;
use crate::vault::raw::map::{DamagedPage, Map};

/// Damaged pages that are named one by one.
const NAMED_MAX: usize = 24;

/// Authenticates every page of a vault's files. How many there are, and the damaged ones.
pub fn damaged(image: &Image) -> (u64, Vec<DamagedPage>) {
    let map = Map::of(image, &mut |_| {});
    (u64::from(map.pages()), map.damaged)
}

/// The damaged pages in a sentence; what else of the vault is readable is looked at by its own.
pub fn sentence(pages: u64, damaged: &[DamagedPage]) -> String {
    let named: Vec<String> = damaged.iter().take(NAMED_MAX).map(named).collect();
    let more = damaged.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let whole = pages.saturating_sub(u64::try_from(damaged.len()).unwrap_or(u64::MAX));
    format!(
        "{} of {pages} pages are damaged: {}{more}. The other {whole} are as they were written.",
        damaged.len(),
        named.join("; ")
    )
}

fn named(page: &DamagedPage) -> String {
    let of = match page.of.as_deref() {
        None => "nobody can say of what, because a page above it is damaged".to_owned(),
        Some("free") => "free, nothing was on it".to_owned(),
        Some(name) => name.to_owned(),
    };
    let rows = match page.rows {
        Some((i64::MIN, i64::MAX)) | None => String::new(),
        Some((i64::MIN, last)) => format!(", rows up to {last}"),
        Some((first, i64::MAX)) => format!(", rows from {first} on"),
        Some((first, last)) if first == last => format!(", row {first}"),
        Some((first, last)) => format!(", rows {first} to {last}"),
    };
    format!("page {} ({of}{rows})", page.page)
}
