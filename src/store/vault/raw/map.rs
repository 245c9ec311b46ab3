//! Whose every page of a database is: found by walking down from its schema, past whatever is damaged.
//!
//! The page above a damaged one says which table it is of and which rows were on it. Below a damaged page with
//! pages below it nothing can be reached: those that are not damaged themselves are found, but not whose they
//! are.

use serde::Serialize;

use crate::crypto::page::USABLE;
use crate::vault::raw::btree::{Kind, Node, Value, four, record};
use crate::vault::raw::{Image, Page};

/// Trees are never as deep.
const DEPTH_MAX: u32 = 64;
/// The first page's header says how many pages there are, and where those begin that are free.
const HEADER_PAGES: usize = 28;
const HEADER_FREE: usize = 32;

/// A table or an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Its name.
    pub name: String,
    /// The table that it is, or that it is an index of.
    pub table: String,
    /// The page that it begins with.
    pub root: u32,
}

impl Tree {
    /// It is an index.
    pub fn is_index(&self) -> bool {
        self.name != self.table
    }
}

/// What a page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The tree with this number of [`Map::trees`].
    Tree(usize),
    /// What did not fit a page of that tree.
    Overflow(usize),
    /// Nothing.
    Free,
    /// Nobody can say.
    Unknown,
}

/// A page that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DamagedPage {
    /// Its number, from 1.
    pub page: u32,
    /// The table or index that it is of; none where nobody can say, `free` where nothing was on it.
    pub of: Option<String>,
    /// The first and the last number of rows that may have been on it or below it.
    pub rows: Option<(i64, i64)>,
}

/// Whose every page is.
pub struct Map {
    /// Tables and indexes; none where the schema cannot be read.
    pub trees: Vec<Tree>,
    owners: Vec<Owner>,
    /// Damaged pages in their order.
    pub damaged: Vec<DamagedPage>,
    /// Version of the schema; none where the first page is damaged.
    pub version: Option<u32>,
}

impl Map {
    /// Walks through a database. `progress` is told how many pages were authenticated.
    pub fn of(image: &Image, progress: &mut dyn FnMut(u32)) -> Self {
        let first = match image.page(1) {
            Page::Whole(page) => Some(page),
            Page::Damaged => None,
        };
        let header = |at| first.as_ref().and_then(|page| four(page, at));
        // A file that was cut has fewer than it says; what it says is authentic.
        let pages = image.pages().max(header(HEADER_PAGES).unwrap_or(0));
        let version = first.as_ref().map(|page| four(page, 60).unwrap_or(0));
        let owners = vec![Owner::Unknown; pages as usize];
        let mut map = Self { trees: Vec::new(), owners, damaged: Vec::new(), version };
        map.trees.push(Tree { name: SCHEMA.into(), table: SCHEMA.into(), root: 1 });
        map.walk_tree(image, 0);
        map.trees.extend(schema(image));
        for tree in 1..map.trees.len() {
            map.walk_tree(image, tree);
        }
        map.walk_free(image, header(HEADER_FREE));
        map.find_rest(image, progress);
        map.find_torn(image);
        map.damaged.sort_by_key(|damaged| damaged.page);
        map
    }

    /// How many pages there are, those that were cut off counted.
    pub fn pages(&self) -> u32 {
        u32::try_from(self.owners.len()).unwrap_or(u32::MAX)
    }

    /// What a page is for.
    pub fn owner(&self, page: u32) -> Owner {
        let place = (page as usize).checked_sub(1);
        place.and_then(|place| self.owners.get(place)).copied().unwrap_or(Owner::Unknown)
    }

    /// Takes a page that nobody has yet.
    fn take(&mut self, page: u32, owner: Owner) -> bool {
        let place = (page as usize).checked_sub(1).and_then(|place| self.owners.get_mut(place));
        match place {
            Some(here @ Owner::Unknown) => {
                *here = owner;
                true
            }
            Some(_) | None => false,
        }
    }

    fn damage(&mut self, page: u32, of: Option<String>, rows: Option<(i64, i64)>) {
        self.damaged.push(DamagedPage { page, of, rows });
    }

    fn walk_tree(&mut self, image: &Image, tree: usize) {
        let Some(Tree { name, root, .. }) = self.trees.get(tree).cloned() else { return };
        // Page, the rows that may be on it, how deep it lies.
        let mut open = vec![(root, (i64::MIN, i64::MAX), 0_u32)];
        while let Some((number, (first, last), depth)) = open.pop() {
            if depth > DEPTH_MAX || !self.take(number, Owner::Tree(tree)) {
                continue;
            }
            let Page::Whole(page) = image.page(number) else {
                self.damage(number, Some(name.clone()), Some((first, last)));
                continue;
            };
            let Some(node) = Node::parse(number, &page) else { continue };
            let mut from = first;
            for child in node.children() {
                let until = child.last.unwrap_or(last);
                open.push((child.page, (from, until), depth + 1));
                from = child.last.map_or(first, |last| last.saturating_add(1));
            }
            if node.kind != Kind::TableInterior {
                for cell in node.cells() {
                    self.walk_overflow(image, (tree, &name, cell.row), (cell.overflow, cell.len));
                }
            }
        }
    }

    /// What is left of a record when a page of it is damaged, nobody can say.
    fn walk_overflow(
        &mut self,
        image: &Image,
        (tree, name, row): (usize, &str, Option<i64>),
        (mut next, len): (Option<u32>, usize),
    ) {
        for _ in 0..=len / (USABLE - 4) {
            let Some(number) = next.filter(|page| self.take(*page, Owner::Overflow(tree))) else {
                return;
            };
            let Page::Whole(page) = image.page(number) else {
                self.damage(number, Some(name.to_owned()), row.map(|row| (row, row)));
                return;
            };
            next = four(&page, 0);
        }
    }

    /// Pages with a list of free ones, and those on the lists.
    fn walk_free(&mut self, image: &Image, mut next: Option<u32>) {
        while let Some(number) = next.filter(|page| self.take(*page, Owner::Free)) {
            let Page::Whole(page) = image.page(number) else {
                self.damage(number, Some(FREE.into()), None);
                return;
            };
            let count = four(&page, 4).map_or(0, |count| count as usize).min(USABLE / 4);
            for place in 0..count {
                let Some(free) = four(&page, 8 + 4 * place) else { continue };
                let is_new = self.take(free, Owner::Free);
                // A page that nobody reads is damaged all the same.
                if is_new && matches!(image.page(free), Page::Damaged) {
                    self.damage(free, Some(FREE.into()), None);
                }
            }
            next = four(&page, 0);
        }
    }

    /// Pages of which an earlier version was read.
    fn find_torn(&mut self, image: &Image) {
        for number in image.torn() {
            if self.damaged.iter().any(|page| page.page == number) {
                continue;
            }
            let of = match self.owner(number) {
                Owner::Tree(tree) | Owner::Overflow(tree) => {
                    self.trees.get(tree).map(|tree| tree.name.clone())
                }
                Owner::Free => Some(FREE.into()),
                Owner::Unknown => None,
            };
            self.damage(number, of, None);
        }
    }

    /// Pages that nothing leads to.
    fn find_rest(&mut self, image: &Image, progress: &mut dyn FnMut(u32)) {
        for number in 1..=self.pages() {
            let is_known = self.owner(number) != Owner::Unknown;
            if !is_known && matches!(image.page(number), Page::Damaged) {
                self.damage(number, None, None);
            }
            progress(number);
        }
    }
}

const SCHEMA: &str = "sqlite_schema";
/// What is said of a page on which there was nothing.
const FREE: &str = "free";

/// Tables and indexes as the schema names them.
fn schema(image: &Image) -> Vec<Tree> {
    let mut trees = Vec::new();
    let (mut open, mut seen) = (vec![1_u32], 0);
    while let Some(number) = open.pop() {
        seen += 1;
        let Page::Whole(page) = image.page(number) else { continue };
        let Some(node) = Node::parse(number, &page).filter(|_| seen <= 1_000) else { continue };
        open.extend(node.children().iter().map(|child| child.page));
        let cells = node.cells();
        trees.extend(cells.iter().filter_map(|cell| tree(&record(&image.payload(&page, cell)?)?)));
    }
    trees
}

/// A row of the schema: type, name, table, root, statement.
fn tree(row: &[Value]) -> Option<Tree> {
    let [_, Value::Text(name), Value::Text(table), Value::Integer(root), ..] = row else {
        return None;
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // Triggers and views have none.
    let root = u32::try_from(*root).ok().filter(|root| *root > 0)?;
    Some(Tree { name: text(name), table: text(table), root })
}
