//! Words that run together: texts that can be read in more than one way are counted once, and drawn
//! once.
//!
//! An automaton reads a text and keeps every way of reading it at once; each text has one path
//! through it, so that its paths are counted and drawn like those of any other table, letter by
//! letter.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::super::nat::Nat;
use super::super::sampler::Sampler;
use super::super::table::{CountingTable, Edge, Graph, MAX_TABLE};
use crate::random::RandomError;

/// One way of reading a text so far: whole words, and the node of the word that is being read.
type Reading = (u8, usize);

/// Whether two choices of words could spell the same text. Errs on the side of "yes".
pub(super) fn may_be(words: &[Vec<u8>], separator: &[u8]) -> bool {
    // An upper-case letter at the start of each word and nowhere else marks where words begin.
    let marked = |word: &Vec<u8>| {
        word.first().is_some_and(u8::is_ascii_uppercase)
            && !word.iter().skip(1).any(u8::is_ascii_uppercase)
    };
    let plain = !separator.iter().any(u8::is_ascii_uppercase);
    if plain && words.iter().all(marked) {
        return false;
    }
    // Words with what follows them: when none begins another, a text is read word by word in one
    // way only. In order, what begins others stands directly before one of them.
    let mut items: Vec<Vec<u8>> =
        words.iter().map(|word| word.iter().chain(separator).copied().collect()).collect();
    items.sort_unstable();
    items.windows(2).any(|pair| match pair {
        [one, two] => two.starts_with(one),
        _ => false,
    })
}

/// The table of all texts of so many words (sorted, distinct); none above the limit.
pub(super) fn table(words: &[Vec<u8>], separator: &[u8], count: u8) -> Option<CountingTable> {
    let limit = usize::try_from(MAX_TABLE).ok()?;
    let between = Trie::new(words, separator);
    let last = Trie::new(words, &[]);
    let mut edges_used = 0;
    let mut graph = Graph::new();
    // State 0 of every layer but the first is the end of the text.
    let mut states: Vec<Vec<Reading>> = alloc::vec![alloc::vec![(0, 0)]];
    let mut first = true;
    while first || states.len() > 1 {
        let mut next: BTreeMap<Vec<Reading>, usize> = BTreeMap::new();
        let mut order = alloc::vec![Vec::new()];
        let mut layer = Vec::new();
        for readings in &states {
            let mut edges = Vec::new();
            let one = Nat::from_u64(1);
            if readings.is_empty() || readings.contains(&(count, 0)) {
                edges.push(Edge { to: 0, label: 0, ways: one });
            }
            let mut after: BTreeMap<u8, Vec<Reading>> = BTreeMap::new();
            for (done, node) in readings.iter().filter(|(done, _)| *done < count) {
                let trie = if done + 1 < count { &between } else { &last };
                for (letter, child) in trie.children(*node) {
                    let reached = after.entry(letter).or_default();
                    reached.push((*done, child));
                    if trie.ends(child) {
                        reached.push((*done + 1, 0));
                    }
                }
            }
            for (letter, mut readings) in after {
                readings.sort_unstable();
                readings.dedup();
                let to = next.len() + 1;
                let to = *next.entry(readings.clone()).or_insert_with(|| {
                    order.push(readings);
                    to
                });
                edges.push(Edge { to, label: u32::from(letter), ways: one });
            }
            edges_used += edges.len();
            if edges_used > 4 * limit {
                return None;
            }
            layer.push(edges);
        }
        graph.push(layer);
        states = order;
        first = false;
    }
    CountingTable::new(&graph, true)
}

/// One text into `out`, zero behind it; not 0 when it is to be thrown away.
pub(super) fn draw<D: Sampler>(
    table: &CountingTable,
    sampler: &mut D,
    out: &mut [u8],
) -> Result<u64, RandomError> {
    let mut places = out.iter_mut();
    table.walk(sampler, |label, _| {
        if let Some(place) = places.next() {
            let [letter, ..] = label.to_le_bytes();
            *place = letter;
        }
    })
}

/// The words letter by letter; node 0 is the start.
struct Trie {
    nodes: Vec<(BTreeMap<u8, usize>, bool)>,
}

impl Trie {
    /// Words, each with something at its end.
    fn new(words: &[Vec<u8>], end: &[u8]) -> Self {
        let mut trie = Self { nodes: alloc::vec![(BTreeMap::new(), false)] };
        for word in words {
            let mut at = 0;
            for letter in word.iter().chain(end) {
                let fresh = trie.nodes.len();
                let Some((children, _)) = trie.nodes.get_mut(at) else { break };
                at = *children.entry(*letter).or_insert(fresh);
                if at == fresh {
                    trie.nodes.push((BTreeMap::new(), false));
                }
            }
            if let Some((_, ends)) = trie.nodes.get_mut(at) {
                *ends = true;
            }
        }
        trie
    }

    fn children(&self, node: usize) -> impl Iterator<Item = (u8, usize)> + '_ {
        let children = self.nodes.get(node).map(|(children, _)| children);
        children.into_iter().flatten().map(|(letter, child)| (*letter, *child))
    }

    fn ends(&self, node: usize) -> bool {
        self.nodes.get(node).is_some_and(|(_, ends)| *ends)
    }
}
