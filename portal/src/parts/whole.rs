//! Lists that lie whole in memory, because there are never many: looked through, sorted, cut into parts and exported like
//! those that the database does it for.
//!
//! A page may have several. Which one is asked about stands in the address as `list`; the others are shown as they are.

use std::cmp::Ordering;

use super::asked::PAGE_ROWS;
use super::{Asked, Cell, List};
use crate::show;

/// From how many rows on a list can be looked through; fewer are seen at once.
const SEARCHED_FROM: usize = 6;

impl List {
    /// Looks through all rows, sorts them and keeps one part of them. `what` says what the search looks for.
    ///
    /// Every column that holds no buttons can be sorted by, and every word that is shown can be found.
    #[must_use]
    pub fn whole(mut self, asked: &Asked, what: impl Into<String>) -> Self {
        let mine = asked.get("list") == self.id;
        let words = if mine { asked.get("q") } else { "" };
        if self.rows.len() >= SEARCHED_FROM {
            self.path = format!("{}#{}", asked.path(), self.id);
            self.search = Some((what.into(), words.to_owned()));
            self.kept.push(("list", self.id.to_owned()));
        }
        if !words.is_empty() {
            self.clear = Some(asked.path().to_owned());
            let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
            self.rows.retain(|row| {
                let text = row.iter().map(|cell| cell.plain().to_lowercase()).collect::<Vec<_>>().join("\n");
                words.iter().all(|word| text.contains(word.as_str()))
            });
        }
        let sort = if mine { asked.get("sort") } else { "" };
        self.sort(asked, sort);
        self.count = show::number(i64::try_from(self.rows.len()).unwrap_or(i64::MAX));
        if !self.rows.is_empty() {
            self.export = Some(asked.with(&[("list", self.id), ("format", "csv")]));
        }
        if !asked.wants_csv() {
            let from = if mine { asked.read("after").unwrap_or(0) } else { 0 };
            self.part(asked, from);
        }
        if mine && !sort.is_empty() { self.keeping(asked, "sort") } else { self }
    }

    fn sort(&mut self, asked: &Asked, sort: &str) {
        let (sort, descending) = sort.strip_prefix('-').map_or((sort, false), |sort| (sort, true));
        let mut sorted = None;
        for (index, column) in self.columns.iter_mut().enumerate().filter(|(_, column)| !column.acts) {
            let name = name_of(&column.title);
            let next = if name == sort && !descending { format!("-{name}") } else { name.clone() };
            let href = asked.with(&[("list", self.id), ("sort", &next)]);
            column.sort_href = Some(format!("{href}#{}", self.id));
            if name == sort {
                column.sorted = Some(if descending { "descending" } else { "ascending" });
                sorted = Some(index);
            }
        }
        if let Some(index) = sorted {
            let compare = |a: &Vec<Cell>, b: &Vec<Cell>| match (a.get(index), b.get(index)) {
                (Some(a), Some(b)) => compare(a, b, descending),
                _ => Ordering::Equal,
            };
            self.rows.sort_by(compare);
        }
    }

    fn part(&mut self, asked: &Asked, from: usize) {
        let rows = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
        let to = |from: usize| {
            let after = if from == 0 { String::new() } else { from.to_string() };
            format!("{}#{}", asked.with(&[("list", self.id), ("after", &after)]), self.id)
        };
        let next = from.saturating_add(rows);
        let (previous, next) =
            ((from > 0).then(|| to(from.saturating_sub(rows))), (next < self.rows.len()).then(|| to(next)));
        (self.previous, self.next) = (previous, next);
        self.rows = std::mem::take(&mut self.rows).into_iter().skip(from).take(rows).collect();
    }
}

/// A column's name in an address.
fn name_of(title: &str) -> String {
    let plain = |one: char| if one.is_alphanumeric() { one } else { '-' };
    title.to_lowercase().chars().map(plain).collect()
}

/// Numbers by size, times by date, words by the alphabet; what is empty comes last in both directions.
fn compare(a: &Cell, b: &Cell, descending: bool) -> Ordering {
    let turned = |order: Ordering| if descending { order.reverse() } else { order };
    let empty = |cell: &Cell| matches!(cell, Cell::Nothing(_)) || cell.plain().is_empty();
    match (empty(a), empty(b)) {
        (false, false) => match (number(a), number(b)) {
            (Some(a), Some(b)) => turned(a.total_cmp(&b)),
            _ => turned(a.plain().to_lowercase().cmp(&b.plain().to_lowercase())),
        },
        (a, b) => a.cmp(&b),
    }
}

/// What a cell's number is, without what it counts: `1,234`, `12.50 EUR`.
fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(_) => {
            cell.plain().split_whitespace().find_map(|word| word.trim_end_matches('%').parse().ok())
        }
        Cell::Took(micros) => Some(*micros as f64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(address: &str, rows: &[(&str, &str)]) -> List {
        let cells = |(name, calls): &(&str, &str)| {
            let calls =
                if calls.is_empty() { Cell::Nothing("none") } else { Cell::Number((*calls).to_owned()) };
            vec![Cell::Text((*name).to_owned()), calls, Cell::Press(Vec::new())]
        };
        List::new("nodes", "Nodes")
            .column("Node")
            .numbers("Calls made")
            .acts()
            .rows(rows.iter().map(cells))
            .whole(&Asked::sample(address), "name")
    }

    fn names(list: &List) -> Vec<String> {
        list.rows.iter().map(|row| row[0].plain()).collect()
    }

    const ROWS: [(&str, &str); 6] =
        [("Delta", "1,000"), ("alpha", "9"), ("bravo", ""), ("echo", "80"), ("Charlie", "80"), ("fox", "-1")];

    #[test]
    fn a_column_sorts_by_what_its_cells_mean() {
        assert_eq!(names(&list("/n?list=nodes&sort=node", &ROWS))[..3], ["alpha", "bravo", "Charlie"]);
        assert_eq!(
            names(&list("/n?list=nodes&sort=calls-made", &ROWS)),
            ["fox", "alpha", "echo", "Charlie", "Delta", "bravo"]
        );
        assert_eq!(names(&list("/n?list=nodes&sort=-calls-made", &ROWS))[..2], ["Delta", "echo"]);
        assert_eq!(
            names(&list("/n?list=nodes&sort=-calls-made", &ROWS))[5],
            "bravo",
            "what is empty is last"
        );
        let sorted = list("/n?list=nodes&sort=node", &ROWS);
        assert_eq!(sorted.columns[0].sort_href.as_deref(), Some("/n?list=nodes&sort=-node#nodes"));
        assert_eq!(sorted.columns[0].sorted, Some("ascending"));
        assert_eq!(sorted.columns[2].sort_href, None, "nobody sorts by buttons");
    }

    #[test]
    fn every_word_is_looked_for_in_all_that_is_shown() {
        assert_eq!(names(&list("/n?list=nodes&q=CHAR+80", &ROWS)), ["Charlie"]);
        let none = list("/n?list=nodes&q=zebra", &ROWS);
        assert!(none.rows.is_empty() && none.clear.as_deref() == Some("/n") && none.export.is_none());
    }

    #[test]
    fn the_words_of_another_list_of_the_page_change_nothing_here() {
        assert_eq!(names(&list("/n?list=others&q=zebra&sort=-node&after=3", &ROWS)).len(), 6);
        assert_eq!(names(&list("/n?list=others&sort=-node", &ROWS))[0], "Delta");
    }

    #[test]
    fn fifty_rows_make_a_part_and_an_export_has_them_all() {
        let many: Vec<String> = (0..120).map(|index| format!("node {index:03}")).collect();
        let rows: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
        let second = list("/n?list=nodes&sort=-node&after=50", &rows);
        assert_eq!((second.rows.len(), second.count.as_str()), (50, "120"));
        assert_eq!(names(&second)[0], "node 069");
        assert_eq!(second.previous.as_deref(), Some("/n?sort=-node&list=nodes#nodes"));
        assert_eq!(second.next.as_deref(), Some("/n?sort=-node&list=nodes&after=100#nodes"));
        assert!(list("/n?list=nodes&after=100", &rows).next.is_none());
        assert_eq!(list("/n?list=nodes&format=csv", &rows).rows.len(), 120);
        let beyond = list("/n?list=nodes&after=18446744073709551615", &rows);
        assert!(beyond.rows.is_empty() && beyond.previous.is_some(), "a part that is not there says so");
    }

    #[test]
    fn a_handful_of_rows_has_no_search_but_sorts_and_exports() {
        let few = list("/n", &ROWS[..2]);
        assert!(few.search.is_none() && few.export.is_some() && few.columns[0].sort_href.is_some());
    }
}
