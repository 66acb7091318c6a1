//! Recipes: what a password must look like, how many there are, and making them.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use laps_core::error::Code;
use laps_core::generate::{
    Complexity, Preset, Recipe as CoreRecipe, WindowsPolicy, WindowsRefusal,
};
use laps_core::random::{Generator as CoreGenerator, RandomError};
use laps_core::secret;
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString, PyTuple};

use crate::error::raise;
use crate::password::Password;
use crate::random::{Seeded, with_generator};

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

/// One group of a recipe: its characters alone, or with a least number, or with a least and a greatest.
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
    /// A recipe of one's own: `length` 1 to 128, and at most eight `groups`, each its characters, or a tuple of characters,
    /// least number and, if wanted, greatest number. Groups may overlap: a character in two counts for both. `at_least` so many
    /// of the groups are used; `exclude` takes characters out of every group; no character stands more than `max_run` times in
    /// a row; `forbid` has at most 32 substrings; `first` and `last` are what a password starts and ends with.
    #[new]
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python class")]
    #[pyo3(signature = (length, groups, *, at_least = None, exclude = "", max_run = None, forbid = None, first = None, last = None))]
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

    /// A recipe for people: `readable` (no characters that are easily confused) or `typable` (the same keys on US, UK, German,
    /// French and Spanish keyboards); at least one character of each of its groups. `length` 1 to 128.
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

    /// A passphrase of one's own: 3 to 10 `words` of `list`, which is the name of one of the EFF's (`eff-long`, `eff-short`,
    /// `eff-short-unique-prefix`) or words of one's own, at most 65,536 of 1 to 16 characters. `separator` has at most four
    /// characters; `digit` puts one at the end.
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
                            "word list {name:?}: eff-long, eff-short, eff-short-unique-prefix, or words of your own are accepted"
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

/// The strength of a recipe: a count, not a guess. One password has no strength of its own.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Strength {
    admissible: String,
    bits_micro: u64,
    min_length: usize,
    max_length: usize,
}

impl Strength {
    fn decimal(&self) -> String {
        let (whole, rest) =
            (self.bits_micro.div_euclid(1_000_000), self.bits_micro.rem_euclid(1_000_000));
        format!("{whole}.{rest:06}")
    }
}

#[pymethods]
impl Strength {
    /// How many passwords the recipe allows, exactly.
    #[getter]
    fn admissible<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.get_type::<PyInt>().call1((self.admissible.as_str(),))
    }

    /// The same in bits, rounded down to six places.
    #[getter]
    fn bits(&self) -> PyResult<f64> {
        self.decimal().parse().map_err(|_| raise(Code::Internal, "bits are a decimal number"))
    }

    /// Millionths of a bit, rounded down.
    #[getter]
    fn bits_micro(&self) -> u64 {
        self.bits_micro
    }

    /// The length of the shortest password.
    #[getter]
    fn min_length(&self) -> usize {
        self.min_length
    }

    /// The length of the longest password.
    #[getter]
    fn max_length(&self) -> usize {
        self.max_length
    }

    fn __repr__(&self) -> String {
        format!("<Strength {} bits>", self.decimal())
    }
}

/// One rule that a password breaks.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Violation {
    /// The rule, in a word.
    rule: String,
    /// What is wrong and what would be accepted.
    message: String,
}

#[pymethods]
impl Violation {
    fn __str__(&self) -> &str {
        &self.message
    }

    fn __repr__(&self) -> String {
        format!("<Violation {}: {}>", self.rule, self.message)
    }
}

/// Many passwords in one object, wiped together.
#[pyclass(frozen, sequence, module = "laps")]
pub(crate) struct Passwords {
    inner: Mutex<Vec<secret::Password>>,
}

impl Passwords {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<secret::Password>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy_of(&self, index: usize) -> Option<PyResult<Password>> {
        let all = self.lock();
        let found = all.get(index)?;
        let mut copy = Box::new(secret::Password::empty());
        let set = copy.set(found.expose_secret()).map_err(|error| raise(error.code(), error));
        Some(set.map(|()| Password::from_core(copy)))
    }
}

#[pymethods]
impl Passwords {
    fn __len__(&self) -> usize {
        self.lock().len()
    }

    fn __getitem__(&self, index: isize) -> PyResult<Password> {
        let place = if index < 0 {
            self.__len__().checked_sub(index.unsigned_abs())
        } else {
            usize::try_from(index).ok()
        };
        place
            .and_then(|place| self.copy_of(place))
            .unwrap_or_else(|| Err(PyIndexError::new_err("there is no password with this index")))
    }

    fn __iter__(slf: Py<Self>) -> PasswordsIterator {
        PasswordsIterator { all: slf, next: AtomicUsize::new(0) }
    }

    /// The texts, as strings of their own.
    fn expose(&self) -> Vec<String> {
        self.lock().iter().map(|password| password.expose_secret().to_string()).collect()
    }

    /// Overwrites and drops all of them.
    fn wipe(&self) {
        self.lock().clear();
    }

    fn __repr__(&self) -> String {
        format!("<{} passwords>", self.__len__())
    }

    #[pyo3(signature = (protocol, /))]
    fn __reduce_ex__(&self, protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = protocol;
        Err(PyTypeError::new_err("passwords cannot be pickled"))
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (*exception))]
    fn __exit__(&self, exception: &Bound<'_, PyTuple>) {
        let _ = exception;
        self.wipe();
    }
}

/// Goes through the passwords of a batch.
#[pyclass(frozen, module = "laps")]
pub(crate) struct PasswordsIterator {
    all: Py<Passwords>,
    next: AtomicUsize,
}

#[pymethods]
impl PasswordsIterator {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self) -> PyResult<Option<Password>> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        self.all.get().copy_of(index).transpose()
    }
}

/// A generator of its own, with forward secrecy: what it holds tells nothing about passwords made before.
///
/// `generate()` and `Recipe.generate()` use one a thread; make one of these to own it. It survives a fork: the
/// child seeds anew.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Generator {
    // The lock is never held without the interpreter, so no fork can find it taken.
    inner: Mutex<Seeded>,
}

#[pymethods]
impl Generator {
    #[new]
    fn new() -> PyResult<Self> {
        Ok(Self { inner: Mutex::new(Seeded::new().map_err(random)?) })
    }

    /// Makes one password; complexity 4 and length 14 without a recipe.
    #[pyo3(signature = (recipe = None, /))]
    fn generate(&self, recipe: Option<&Bound<'_, Recipe>>) -> PyResult<Password> {
        let recipe = recipe_or_default(recipe)?;
        let mut password = Box::new(secret::Password::empty());
        let mut seeded = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        seeded
            .current()
            .and_then(|generator| recipe.generate_into(generator, &mut password))
            .map_err(random)?;
        Ok(Password::from_core(password))
    }

    /// Mixes in fresh bytes of the operating system.
    fn reseed(&self) -> PyResult<()> {
        let mut seeded = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        seeded.current().and_then(CoreGenerator::reseed).map_err(random)
    }

    fn __repr__(&self) -> &'static str {
        "<Generator>"
    }
}

/// Makes one password: complexity 4 and length 14 without a recipe.
#[pyfunction]
#[pyo3(signature = (recipe = None, /))]
pub(crate) fn generate(recipe: Option<&Bound<'_, Recipe>>) -> PyResult<Password> {
    match recipe {
        Some(recipe) => one(&recipe.get().inner),
        None => one(&*recipe_or_default(None)?),
    }
}

/// Makes many passwords at once, without the interpreter's lock.
#[pyfunction]
#[pyo3(signature = (count, recipe = None, /))]
pub(crate) fn generate_many(
    py: Python<'_>,
    count: usize,
    recipe: Option<&Bound<'_, Recipe>>,
) -> PyResult<Passwords> {
    const MOST: usize = 10_000_000;
    if count > MOST {
        return Err(raise(
            Code::InvalidArgument,
            format!("count {count}: 0 to {MOST} are accepted"),
        ));
    }
    let recipe = recipe_or_default(recipe)?;
    let made = py.detach(|| {
        let mut generator = CoreGenerator::from_system()?;
        // Filled in place and never grown: nothing is left behind by a move.
        let mut all = Vec::with_capacity(count);
        for _ in 0..count {
            all.push(secret::Password::empty());
        }
        for password in &mut all {
            recipe.generate_into(&mut generator, password)?;
        }
        Ok(all)
    });
    Ok(Passwords { inner: Mutex::new(made.map_err(random)?) })
}

/// Why a Windows device's own password policy would refuse a password: its least length, and with `complexity` three of five
/// categories and no part of the names. Empty when it would take it. Rules: `length`, `categories`, `user-name`, `full-name`.
#[pyfunction]
#[pyo3(signature = (password, /, *, min_length = 0, complexity = true, user_name = "", full_name = ""))]
pub(crate) fn windows_check(
    password: &Bound<'_, PyAny>,
    min_length: u8,
    complexity: bool,
    user_name: &str,
    full_name: &str,
) -> PyResult<Vec<Violation>> {
    let policy = WindowsPolicy::new(min_length, complexity, user_name, full_name);
    reading(password, |text| {
        policy
            .check(text)
            .map(|refusal| Violation {
                rule: match refusal {
                    WindowsRefusal::TooShort { .. } => "length",
                    WindowsRefusal::TooFewCategories { .. } => "categories",
                    WindowsRefusal::HoldsUserName { .. } => "user-name",
                    WindowsRefusal::HoldsFullName { .. } => "full-name",
                    _ => "other",
                }
                .to_string(),
                message: refusal.to_string(),
            })
            .collect()
    })
}

/// Lets `work` look at a password or a text.
fn reading<T>(password: &Bound<'_, PyAny>, work: impl FnOnce(&str) -> T) -> PyResult<T> {
    if let Ok(password) = password.cast::<Password>() {
        return password.get().with(|password| work(password.expose_secret()));
    }
    match password.cast::<PyString>() {
        Ok(text) => Ok(work(text.to_cow()?.as_ref())),
        Err(_) => Err(PyTypeError::new_err("a password is str or Password")),
    }
}

fn recipe_or_default(recipe: Option<&Bound<'_, Recipe>>) -> PyResult<Arc<CoreRecipe>> {
    static DEFAULT: OnceLock<Arc<CoreRecipe>> = OnceLock::new();
    if let Some(recipe) = recipe {
        return Ok(Arc::clone(&recipe.get().inner));
    }
    if let Some(recipe) = DEFAULT.get() {
        return Ok(Arc::clone(recipe));
    }
    let made = Recipe::complexity(4, 14)?.inner;
    Ok(Arc::clone(DEFAULT.get_or_init(|| made)))
}

fn random(error: RandomError) -> PyErr {
    raise(error.code(), error)
}

/// Makes one password with the generator of this thread.
fn one(recipe: &CoreRecipe) -> PyResult<Password> {
    let mut password = Box::new(secret::Password::empty());
    with_generator(|generator| recipe.generate_into(generator, &mut password))
        .and_then(|made| made)
        .map_err(random)?;
    Ok(Password::from_core(password))
}
