//! The automaton of the forbidden words (Aho and Corasick, 1975).

use alloc::vec::Vec;

use super::chars::CharSet;
use super::forbid::{Forbidden, fold};

/// Reads folded letters and remembers how far a forbidden word has come.
#[derive(Debug)]
pub(super) struct ForbiddenWords {
    /// The letters of all words, folded.
    pub(super) letters: CharSet,
    nodes: Vec<TrieNode>,
}

#[derive(Clone, Debug, Default)]
struct TrieNode {
    /// For each letter of the set, in its order: the node after it. 0 is the root.
    next: Vec<usize>,
    /// A word ends here.
    ends: bool,
}

impl ForbiddenWords {
    /// The automaton of the words that fit into a password of this length.
    pub(super) fn new(forbid: &Forbidden, length: u8) -> Self {
        let words = || forbid.iter().filter(|word| word.len() <= usize::from(length));
        let letters = words().flatten().fold(CharSet::EMPTY, |set, letter| set.with(*letter));
        let width = usize::from(letters.len());
        let empty = TrieNode { next: alloc::vec![0; width], ends: false };
        let mut automaton = Self { letters, nodes: alloc::vec![empty.clone()] };
        // The trie; 0 stands for "no child" until the failures are filled in.
        for word in words() {
            let mut at = 0;
            for letter in word {
                let child = automaton.next(at, *letter);
                if child != 0 {
                    at = child;
                    continue;
                }
                let fresh = automaton.nodes.len();
                automaton.set(at, *letter, fresh);
                automaton.nodes.push(empty.clone());
                at = fresh;
            }
            if let Some(node) = automaton.nodes.get_mut(at) {
                node.ends = true;
            }
        }
        automaton.fill();
        automaton
    }

    /// Missing children become those of the longest proper suffix, nearest nodes first.
    fn fill(&mut self) {
        let mut suffixes = alloc::vec![0; self.nodes.len()];
        let mut queue = alloc::vec![0];
        let mut done = 0;
        while let Some(at) = queue.get(done).copied() {
            done += 1;
            let suffix: usize = suffixes.get(at).copied().unwrap_or(0);
            for letter in self.letters.iter() {
                let child = self.next(at, letter);
                let other = if at == 0 { 0 } else { self.next(suffix, letter) };
                if child == 0 {
                    self.set(at, letter, other);
                    continue;
                }
                if let Some(place) = suffixes.get_mut(child) {
                    *place = other;
                }
                let ends = self.ends(other);
                if let Some(node) = self.nodes.get_mut(child) {
                    node.ends |= ends;
                }
                queue.push(child);
            }
        }
    }

    /// The letter of a character, when a word has it.
    pub(super) fn letter(&self, byte: u8) -> Option<u8> {
        Some(fold(byte)).filter(|letter| self.letters.contains(*letter))
    }

    /// The node after a letter; none when a word would end.
    pub(super) fn step(&self, node: usize, letter: Option<u8>) -> Option<usize> {
        let next = letter.map_or(0, |letter| self.next(node, letter));
        (!self.ends(next)).then_some(next)
    }

    fn ends(&self, node: usize) -> bool {
        self.nodes.get(node).is_some_and(|node| node.ends)
    }

    fn next(&self, node: usize, letter: u8) -> usize {
        let place = self.letters.iter().position(|known| known == letter);
        self.nodes.get(node).and_then(|node| node.next.get(place?)).copied().unwrap_or(0)
    }

    fn set(&mut self, node: usize, letter: u8, to: usize) {
        let place = self.letters.iter().position(|known| known == letter);
        if let Some(next) = self.nodes.get_mut(node).and_then(|node| node.next.get_mut(place?)) {
            *next = to;
        }
    }
}
