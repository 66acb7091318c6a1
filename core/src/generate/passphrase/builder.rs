//! Passphrases of one's own.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::chars::CharSet;
use super::super::error::{MAX_WORDS, MIN_WORDS, RecipeError, Relaxation};
use super::super::table::MAX_TABLE;
use super::super::{Complexity, Recipe, RecipeKind};
use super::list::List;
use super::{MAX_SEPARATOR, PassphraseRecipe, ambiguous};
use crate::secret::Password;

/// Collects the options of a passphrase. What is wrong is said by [`PassphraseBuilder::build`].
///
/// ```
/// use laps_core::generate::{Complexity, Recipe};
///
/// let recipe = Recipe::phrase(4).eff(Complexity::LongWords).separator("-").digit(true).build()?;
/// assert_eq!(recipe.strength().min_length(), 4 * 3 + 3 + 1);
/// # Ok::<(), laps_core::generate::RecipeError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PassphraseBuilder {
    count: u8,
    words: Vec<Vec<u8>>,
    capitalise: bool,
    separator: Vec<u8>,
    digit: bool,
    error: Option<RecipeError>,
}

impl PassphraseBuilder {
    pub(in crate::generate) const fn new(count: u8) -> Self {
        Self {
            count,
            words: Vec::new(),
            capitalise: true,
            separator: Vec::new(),
            digit: false,
            error: None,
        }
    }

    /// Words of the EFF's list of a complexity (6 to 8), besides those that are there.
    pub fn eff(mut self, complexity: Complexity) -> Self {
        match List::of(complexity) {
            Some(list) => self.words.extend(list.words().map(|(letters, length)| {
                letters.take(length).map(|letter| letter.to_ascii_lowercase()).collect()
            })),
            None => self.fail(RecipeError::Complexity {
                complexity: complexity.as_u8(),
                min: Complexity::LongWords.as_u8(),
                max: Complexity::ShortUniqueWords.as_u8(),
            }),
        }
        self
    }

    /// Words of one's own, besides those that are there: 1 to 16 printable ASCII characters each. A
    /// word that is there twice counts once.
    pub fn words<'w>(mut self, words: impl IntoIterator<Item = &'w str>) -> Self {
        for word in words {
            self.printable("words", word);
            if !(1..=MAX_WORD).contains(&word.len()) {
                self.fail(RecipeError::WordLength { length: word.chars().count() });
            }
            self.words.push(word.as_bytes().to_vec());
            if self.words.len() > MAX_LIST {
                self.fail(RecipeError::TooManyWords);
                break;
            }
        }
        self
    }

    /// Whether each word starts with an upper-case letter, as Windows does it; it does by default.
    pub const fn capitalise(mut self, capitalise: bool) -> Self {
        self.capitalise = capitalise;
        self
    }

    /// What stands between two words: at most 4 printable ASCII characters, nothing by default.
    pub fn separator(mut self, separator: &str) -> Self {
        self.printable("separator", separator);
        if separator.len() > MAX_SEPARATOR {
            self.fail(RecipeError::SeparatorLength { length: separator.chars().count() });
        }
        self.separator = separator.as_bytes().to_vec();
        self
    }

    /// Whether a digit from 0 to 9 stands at the end; none by default.
    pub const fn digit(mut self, digit: bool) -> Self {
        self.digit = digit;
        self
    }

    /// The recipe. Its strength is that of the distinct texts: where words run together in more
    /// than one way, each text is counted once, and all texts are equally likely.
    ///
    /// # Errors
    /// The first option that is outside its limits; [`RecipeError::TooComplex`] when words run
    /// together in so many ways that counting them is above the limit (a separator or upper-case
    /// letters help).
    pub fn build(mut self) -> Result<Recipe, RecipeError> {
        if !(MIN_WORDS..=MAX_WORDS).contains(&self.count) {
            self.fail(RecipeError::WordCount { words: u32::from(self.count) });
        }
        if self.words.is_empty() {
            self.fail(RecipeError::NoWords);
        }
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.capitalise {
            for first in self.words.iter_mut().filter_map(|word| word.first_mut()) {
                first.make_ascii_uppercase();
            }
        }
        self.words.sort_unstable();
        self.words.dedup();

        let list = List::own(&self.words, self.capitalise);
        let mut words = PassphraseRecipe::new(list, self.count);
        for (place, byte) in words.separator.iter_mut().zip(&self.separator) {
            *place = *byte;
        }
        words.separator_length = u8::try_from(self.separator.len()).unwrap_or(0);
        words.digit = self.digit;
        let longest = words.strength().max_length();
        if longest >= Password::MAX_LEN {
            return Err(RecipeError::PhraseLength { length: longest });
        }
        if ambiguous::may_be(&self.words, &self.separator) {
            let table = ambiguous::table(&self.words, &self.separator, self.count)
                .ok_or(RecipeError::TooComplex { limit: MAX_TABLE, relax: Relaxation::NONE })?;
            words.ambiguous = Some(Arc::new(table));
        }
        Ok(Recipe { strength: words.strength(), kind: RecipeKind::Words(words) })
    }

    fn printable(&mut self, rule: &'static str, text: &str) {
        if let Err(character) = CharSet::new(text) {
            self.fail(RecipeError::NotPrintable { rule, character });
        }
    }

    /// Remembers the first error.
    fn fail(&mut self, error: RecipeError) {
        self.error = self.error.or(Some(error));
    }
}

/// The longest word of one's own, in characters.
const MAX_WORD: usize = 16;
/// The longest list of one's own, in words.
const MAX_LIST: usize = 65_536;
