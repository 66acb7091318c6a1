//! Recipes: what a password must look like.

use std::sync::Arc;

use laps_core::error::Code;
use laps_core::generate::{Complexity, Preset, Recipe as CoreRecipe};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::raise;
use crate::password::Password;
use crate::random::one;
use crate::strength::Strength;
use crate::violation::{Violation, reading};

/// What a password must look like. Every string that it allows is equally likely.
#[pyclass(frozen, module = "laps")]
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) inner: Arc<CoreRecipe>,
}

impl Recipe {
    pub(crate) fn from_core(inner: CoreRecipe) -> Self {
        Self { inner: Arc::new(inner) }
    }
}

/// A number of a rule. What is above 255 is above every limit: it means what 255 means.
fn small(value: i64, what: &str) -> PyResult<u8> {
    if value < 0 {
        return Err(raise(Code::RecipeInvalid, format!("{what} {value}: 0 or more is accepted")));
    }
    Ok(u8::try_from(value).unwrap_or(u8::MAX))
}

fn level(complexity: i64) -> PyResult<Complexity> {
    u8::try_from(complexity).ok().and_then(|number| Complexity::try_from(number).ok()).ok_or_else(
        || {
            raise(
                Code::RecipeInvalid,
                format!(
                    "complexity {complexity}: 1 to 5 (characters) and 6 to 8 (words) are accepted"
                ),
            )
        },
    )
}

/// One group of a recipe: its characters alone, or with a least number, or with a least and a
/// greatest.
#[derive(FromPyObject)]
enum Group {
    Chars(String),
    Least(String, i64),
    Between(String, i64, Option<i64>),
}

/// The list of a passphrase: the name of one of the EFF's, or words of one's own.
#[derive(FromPyObject)]
enum List {
    Named(String),
    Own(Vec<String>),
}

#[pymethods]
impl Recipe {
    /// A recipe of one's own: `length` 1 to 128, and at most eight `groups`, each its characters,
    /// or a tuple of characters, least number and, if wanted, greatest number. Groups may
    /// overlap: a character in two counts for both. `at_least` so many of the groups are used;
    /// `exclude` takes characters out of every group; no character stands more than `max_run` times
    /// in a row; `forbid` has at most 32 substrings; `first` and `last` are what a password
    /// starts and ends with.
    #[new]
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python class")]
    #[pyo3(signature = (
        length, groups, *, at_least = None, exclude = "", max_run = None, forbid = None, first =
        None, last = None
    ))]
    fn new(
        py: Python<'_>,
        length: i64,
        groups: Vec<Group>,
        at_least: Option<i64>,
        exclude: &str,
        max_run: Option<i64>,
        forbid: Option<Vec<String>>,
        first: Option<&str>,
        last: Option<&str>,
    ) -> PyResult<Self> {
        let mut builder = CoreRecipe::builder(small(length, "length")?);
        builder = builder.at_least(small(at_least.unwrap_or(0), "at_least")?);
        for group in groups {
            let (chars, min, max) = match group {
                Group::Chars(chars) => (chars, 0, None),
                Group::Least(chars, min) => (chars, min, None),
                Group::Between(chars, min, max) => (chars, min, max),
            };
            let min = small(min, "a group's least number")?;
            let max = max.map(|max| small(max, "a group's greatest number")).transpose()?;
            builder = builder.group(&chars, min, max);
        }
        builder = builder.exclude(exclude);
        if let Some(times) = max_run {
            builder = builder.max_run(small(times, "max_run")?);
        }
        for word in forbid.iter().flatten() {
            builder = builder.forbid(word);
        }
        if let Some(chars) = first {
            builder = builder.first(chars);
        }
        if let Some(chars) = last {
            builder = builder.last(chars);
        }
        let made = py.detach(|| builder.build());
        Ok(Self::from_core(made.map_err(|error| raise(error.code(), error))?))
    }

    /// A recipe for people: `readable` (no characters that are easily confused) or `typable` (the
    /// same keys on US, UK, German, French and Spanish keyboards); at least one character of
    /// each of its groups. `length` 1 to 128.
    #[staticmethod]
    #[pyo3(signature = (name, length = 14))]
    fn preset(name: &str, length: i64) -> PyResult<Self> {
        let preset = match name {
            "readable" => Preset::Readable,
            "typable" => Preset::Typable,
            _ => {
                return Err(raise(
                    Code::RecipeInvalid,
                    format!("preset {name:?}: readable and typable are accepted"),
                ));
            }
        };
        let made = CoreRecipe::builder(small(length, "length")?).preset(preset).build();
        Ok(Self::from_core(made.map_err(|error| raise(error.code(), error))?))
    }

    /// A passphrase of one's own: 3 to 10 `words` of `list`, which is the name of one of the EFF's
    /// (`eff-long`, `eff-short`, `eff-short-unique-prefix`) or words of one's own, at most
    /// 65,536 of 1 to 16 characters. `separator` has at most four characters; `digit` puts one
    /// at the end.
    #[staticmethod]
    #[pyo3(signature = (words, list, *, separator = "", capitalise = true, digit = false))]
    fn phrase(
        py: Python<'_>,
        words: i64,
        list: List,
        separator: &str,
        capitalise: bool,
        digit: bool,
    ) -> PyResult<Self> {
        let builder = CoreRecipe::phrase(small(words, "words")?).separator(separator);
        let builder = builder.capitalise(capitalise).digit(digit);
        let builder = match &list {
            List::Named(name) => builder.eff(match name.as_str() {
                "eff-long" => Complexity::LongWords,
                "eff-short" => Complexity::ShortWords,
                "eff-short-unique-prefix" => Complexity::ShortUniqueWords,
                _ => {
                    return Err(raise(
                        Code::RecipeInvalid,
                        format!(
                            "word list {name:?}: eff-long, eff-short, eff-short-unique-prefix, or \
                             words of your own are accepted"
                        ),
                    ));
                }
            }),
            List::Own(words) => builder.words(words.iter().map(String::as_str)),
        };
        let made = py.detach(|| builder.build());
        Ok(Self::from_core(made.map_err(|error| raise(error.code(), error))?))
    }

    /// The recipe of Windows LAPS for complexity 1 to 5 and a length of 8 to 64.
    #[staticmethod]
    #[pyo3(signature = (complexity = 4, length = 14))]
    pub(crate) fn complexity(complexity: i64, length: i64) -> PyResult<Self> {
        let recipe = CoreRecipe::complexity(level(complexity)?, small(length, "length")?)
            .map_err(|error| raise(error.code(), error))?;
        Ok(Self::from_core(recipe))
    }

    /// The recipe of Windows LAPS for complexity 6 to 8: 3 to 10 words.
    #[staticmethod]
    #[pyo3(signature = (complexity = 6, words = 6))]
    pub(crate) fn passphrase(complexity: i64, words: i64) -> PyResult<Self> {
        let recipe = CoreRecipe::passphrase(level(complexity)?, small(words, "words")?)
            .map_err(|error| raise(error.code(), error))?;
        Ok(Self::from_core(recipe))
    }

    /// A recipe file: JSON, as text or bytes.
    #[staticmethod]
    #[pyo3(signature = (document, /))]
    fn from_json(py: Python<'_>, document: &Bound<'_, PyAny>) -> PyResult<Self> {
        let bytes: Vec<u8> = match document.cast::<PyString>() {
            Ok(text) => text.to_cow()?.as_bytes().to_vec(),
            Err(_) => document.extract()?,
        };
        let recipe = py
            .detach(|| CoreRecipe::from_json(&bytes))
            .map_err(|error| raise(error.code(), error))?;
        Ok(Self::from_core(recipe))
    }

    /// Makes one password.
    fn generate(&self) -> PyResult<Password> {
        one(&self.inner)
    }

    /// How many passwords there are, exactly.
    #[getter]
    fn strength(&self, py: Python<'_>) -> Strength {
        let inner = py.detach(|| self.inner.strength());
        Strength {
            admissible: inner.admissible().to_string(),
            bits_micro: inner.bits_micro(),
            min_length: inner.min_length(),
            max_length: inner.max_length(),
        }
    }

    /// Every rule that a password breaks; empty when it breaks none.
    #[pyo3(signature = (password, /))]
    fn check(&self, password: &Bound<'_, PyAny>) -> PyResult<Vec<Violation>> {
        reading(password, |text| {
            self.inner
                .check(text)
                .map(|found| Violation {
                    rule: found.rule().to_string(),
                    message: found.to_string(),
                })
                .collect()
        })
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let strength = self.strength(py);
        format!(
            "<Recipe length={}..{} bits={}>",
            strength.min_length,
            strength.max_length,
            strength.decimal()
        )
    }
}
