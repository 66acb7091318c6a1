//! The one file that turns C pointers into references, and references into C pointers.
//!
//! "Contract" in the `SAFETY` comments is the text at the top of `laps.h`.

use alloc::borrow::Cow;
use core::ffi::c_char;
use core::ops::{Deref, DerefMut};
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use laps_core::error::Code;
use laps_core::text;

use crate::failure::Failure;
use crate::test_panic;

/// Set when a panic crossed a call that used the object; from then on the object can only be freed.
#[derive(Debug, Default)]
pub struct Poison(AtomicBool);

/// What C holds a pointer to.
pub(crate) trait Object {
    /// What the contract calls it, for messages.
    const NAME: &'static str;
    fn poison(&self) -> &Poison;
}

/// Declares that a type with a field `poison` is an object of the C ABI.
macro_rules! object {
    ($type:ident) => {
        impl $crate::pointer::Object for $type {
            const NAME: &'static str = stringify!($type);
            fn poison(&self) -> &$crate::pointer::Poison {
                &self.poison
            }
        }
    };
}
pub(crate) use object;

/// An object behind a `const` pointer. A panic while it is held poisons the object.
#[derive(Debug)]
pub(crate) struct Shared<'a, T: Object>(&'a T);

impl<T: Object> Deref for Shared<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0
    }
}

impl<T: Object> Drop for Shared<'_, T> {
    fn drop(&mut self) {
        poison_if_panicking(self.0.poison());
    }
}

/// An object behind a pointer that is not `const`. A panic while it is held poisons the object.
#[derive(Debug)]
pub(crate) struct Exclusive<'a, T: Object>(&'a mut T);

impl<T: Object> Deref for Exclusive<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0
    }
}

impl<T: Object> DerefMut for Exclusive<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0
    }
}

impl<T: Object> Drop for Exclusive<'_, T> {
    fn drop(&mut self) {
        poison_if_panicking(self.0.poison());
    }
}

fn poison_if_panicking(poison: &Poison) {
    if std::thread::panicking() {
        poison.0.store(true, Ordering::Relaxed);
    }
}

fn sound<T: Object>(object: &T) -> Result<(), Failure> {
    if object.poison().0.load(Ordering::Relaxed) {
        return Err(Failure::new(Code::Poisoned, &T::NAME));
    }
    Ok(())
}

/// A pointer that is NULL or cannot belong to a `T`.
fn present<T>(pointer: *const T, name: &str) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(Failure::new(Code::NullArgument, &format_args!("{name} is NULL")));
    }
    if !pointer.is_aligned() {
        let message = format_args!("{name} is not an aligned pointer");
        return Err(Failure::new(Code::InvalidArgument, &message));
    }
    Ok(())
}

/// Looks at an object.
///
/// # Safety
/// Contract, Objects: NULL, or an object of this library that was not freed; and Threads.
pub(crate) unsafe fn shared<'a, T: Object>(object: *const T) -> Result<Shared<'a, T>, Failure> {
    present(object, T::NAME)?;
    // SAFETY: not NULL, and by contract (Objects) alive; by contract (Threads) nobody changes it
    // meanwhile.
    let object = unsafe { &*object };
    sound(object)?;
    let shared = Shared(object);
    test_panic::point();
    Ok(shared)
}

/// Takes an object for a change.
///
/// # Safety
/// Contract, Objects: NULL, or an object of this library that was not freed; and Threads.
pub(crate) unsafe fn exclusive<'a, T: Object>(object: *mut T) -> Result<Exclusive<'a, T>, Failure> {
    present(object, T::NAME)?;
    // SAFETY: not NULL, and by contract (Objects) alive; by contract (Threads) nobody else uses it
    // meanwhile.
    let object = unsafe { &mut *object };
    sound(object)?;
    let exclusive = Exclusive(object);
    test_panic::point();
    Ok(exclusive)
}

/// Frees an object; NULL is nothing to free.
///
/// # Safety
/// Contract, Ownership: NULL, or an object that this library handed out and that was not freed.
pub(crate) unsafe fn release<T: Object>(object: *mut T) {
    if !object.is_null() {
        // SAFETY: by contract (Ownership) it came out of `Owned::give`, and comes back once.
        drop(unsafe { Box::from_raw(object) });
    }
}

/// Takes back an object that this library handed out and C hands over.
///
/// # Safety
/// Contract, Ownership: NULL, or an object that this library handed out, that was not freed, and
/// that C does not use any more.
pub(crate) unsafe fn regain<T: Object>(object: *mut T) -> Result<Box<T>, Failure> {
    present(object, T::NAME)?;
    // SAFETY: not NULL; by contract (Ownership) it came out of `Owned::give`, and comes back once.
    Ok(unsafe { Box::from_raw(object) })
}

/// A structure that begins with its size, which is looked at before anything behind it.
///
/// # Safety
/// Contract, Buffers: NULL, or as many bytes can be read there as the size at its front says.
pub(crate) unsafe fn sized<T: Copy>(pointer: *const T, name: &str) -> Result<T, Failure> {
    present(pointer, name)?;
    // SAFETY: not NULL, aligned for `T`, whose first field is the size; by contract readable.
    let size = unsafe { pointer.cast::<usize>().read() };
    let expected = size_of::<T>();
    if size != expected {
        let message =
            format_args!("{name} says that it has {size} bytes, and must have {expected}");
        return Err(Failure::new(Code::InvalidArgument, &message));
    }
    // SAFETY: not NULL, aligned, and by contract (Buffers) as large as it says, which is a `T`.
    Ok(unsafe { pointer.read() })
}

/// Bytes that are read.
///
/// # Safety
/// Contract, Buffers: `pointer` is NULL, or `len` bytes can be read there during the call.
pub(crate) unsafe fn bytes<'a>(
    pointer: *const u8,
    len: usize,
    name: &str,
) -> Result<&'a [u8], Failure> {
    if len == 0 {
        return Ok(&[]); // whatever the pointer is
    }
    if pointer.is_null() {
        return Err(Failure::new(Code::NullArgument, &format_args!("{name} is NULL")));
    }
    if isize::try_from(len).is_err() {
        let message = format_args!("{name} cannot be {len} bytes long");
        return Err(Failure::new(Code::InvalidArgument, &message));
    }
    // SAFETY: not NULL; by contract (Buffers) readable for `len` bytes, which fit an isize.
    Ok(unsafe { core::slice::from_raw_parts(pointer, len) })
}

/// Text that is read: UTF-8, `len` bytes, no terminating NUL needed.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn text<'a>(
    pointer: *const c_char,
    len: usize,
    name: &str,
) -> Result<&'a str, Failure> {
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { bytes(pointer.cast(), len, name) }?;
    core::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        Failure::new(Code::InvalidUtf8, &format_args!("{name} is not UTF-8 at byte {at}"))
    })
}

/// The content of a file of text: UTF-8 or UTF-16 with its byte order mark, whatever wrote the
/// file.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn decoded<'a>(
    pointer: *const c_char,
    len: usize,
    name: &str,
) -> Result<Cow<'a, str>, Failure> {
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { bytes(pointer.cast(), len, name) }?;
    text::decode(bytes)
        .map_err(|error| Failure::new(Code::InvalidUtf8, &format_args!("{name}: {error}")))
}

/// UTF-16 units that are read.
///
/// # Safety
/// Contract, Buffers: `pointer` is NULL, or `len` units can be read there during the call.
pub(crate) unsafe fn units<'a>(
    pointer: *const u16,
    len: usize,
    name: &str,
) -> Result<&'a [u16], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    present(pointer, name)?;
    if isize::try_from(len).ok().and_then(|len| len.checked_mul(2)).is_none() {
        let message = format_args!("{name} cannot be {len} units long");
        return Err(Failure::new(Code::InvalidArgument, &message));
    }
    // SAFETY: not NULL, aligned; by contract (Buffers) readable for `len` units, which fit an
    // isize.
    Ok(unsafe { core::slice::from_raw_parts(pointer, len) })
}

/// Exactly `N` bytes that are read; NULL is none, where the function says that it may be.
///
/// # Safety
/// Contract, Buffers: NULL, or `N` bytes can be read there during the call.
pub(crate) unsafe fn array<'a, const N: usize>(pointer: *const u8) -> Option<&'a [u8; N]> {
    // SAFETY: by contract (Buffers) NULL or readable for `N` bytes; bytes have no alignment.
    unsafe { pointer.cast::<[u8; N]>().as_ref() }
}

/// Objects behind an array of pointers.
///
/// # Safety
/// Contract, Buffers and Objects: `pointers` is NULL, or `count` object pointers can be read there.
pub(crate) unsafe fn objects<'a, T: Object>(
    pointers: *const *const T,
    count: usize,
    name: &str,
) -> Result<Vec<Shared<'a, T>>, Failure> {
    if count == 0 {
        return Ok(Vec::new());
    }
    present(pointers, name)?;
    if isize::try_from(count).ok().and_then(|count| count.checked_mul(8)).is_none() {
        let message = format_args!("{name} cannot hold {count} pointers");
        return Err(Failure::new(Code::InvalidArgument, &message));
    }
    // SAFETY: not NULL, aligned; by contract (Buffers) readable for `count` pointers, which fit an
    // isize.
    let pointers = unsafe { core::slice::from_raw_parts(pointers, count) };
    // SAFETY: by contract (Objects) each is NULL or alive.
    pointers.iter().map(|pointer| unsafe { shared(*pointer) }).collect()
}

/// Where one result goes. Nothing is written before [`Out::set`], which is called when nothing can
/// fail any more.
#[derive(Debug)]
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// # Safety
    /// Contract, Buffers: NULL, or a `T` can be written there during the call.
    pub(crate) unsafe fn new(pointer: *mut T, name: &str) -> Result<Self, Failure> {
        present(pointer, name)?;
        test_panic::point();
        Ok(Self(pointer))
    }

    /// The same where the function says that it may be NULL, which is no place.
    ///
    /// # Safety
    /// As [`Out::new`].
    #[cfg(feature = "vault")]
    pub(crate) unsafe fn optional(pointer: *mut T, name: &str) -> Result<Option<Self>, Failure> {
        // SAFETY: as this function's.
        (!pointer.is_null()).then(|| unsafe { Self::new(pointer, name) }).transpose()
    }

    pub(crate) fn set(self, value: T) {
        // SAFETY: not NULL, aligned, and writable (`Out::new`); what was there is C's and is not
        // dropped.
        unsafe { self.0.write(value) };
    }
}

impl<T: Object> Out<*mut T> {
    /// Hands an object out; C owns it now.
    pub(crate) fn give(self, object: Box<T>) {
        self.set(Box::into_raw(object));
    }
}

/// The caller's buffer for `T`s, and where the length goes.
#[derive(Debug)]
pub(crate) struct Buffer<T> {
    start: *mut T,
    capacity: usize,
    out_len: Out<usize>,
}

impl<T> Buffer<T> {
    /// # Safety
    /// Contract, Buffers: `start` is NULL or can be written for `capacity` units; `out_len` is NULL
    /// or can be written.
    pub(crate) unsafe fn new(
        start: *mut T,
        capacity: usize,
        out_len: *mut usize,
    ) -> Result<Self, Failure> {
        if capacity != 0 {
            present(start, "the buffer")?;
        }
        // SAFETY: the caller's promise.
        let out_len = unsafe { Out::new(out_len, "out_len") }?;
        Ok(Self { start, capacity, out_len })
    }

    /// Whether text of this length and a terminating NUL have room; otherwise the caller is told
    /// how much they need.
    fn has_room(self, len: usize) -> Result<Self, Failure> {
        let needed = len.saturating_add(1);
        if self.capacity >= needed {
            return Ok(self);
        }
        let (capacity, unit) = (self.capacity, size_of::<T>());
        self.out_len.set(needed);
        let message =
            format_args!("the buffer holds {capacity} units of {unit} bytes, {needed} are needed");
        Err(Failure::new(Code::BufferTooSmall, &message))
    }
}

impl Buffer<u8> {
    /// Fills the buffer with text and a terminating NUL; the length that is written does not count
    /// the NUL.
    pub(crate) fn fill_utf8(self, text: &str) -> Result<(), Failure> {
        let (room, len) = (self.has_room(text.len())?, text.len());
        // SAFETY: len < capacity, writable by contract (Buffers), which also says that it overlaps
        // nothing.
        unsafe {
            room.start.copy_from_nonoverlapping(text.as_ptr(), len);
            room.start.add(len).write(0);
        }
        room.out_len.set(len);
        Ok(())
    }
}

impl Buffer<u16> {
    /// As [`Buffer::fill_utf8`], in UTF-16.
    pub(crate) fn fill_utf16(self, text: &str) -> Result<(), Failure> {
        // Nearly every password is ASCII, which needs no decoding.
        let ascii = text.is_ascii();
        let len = if ascii { text.len() } else { text.encode_utf16().count() };
        let room = self.has_room(len)?;
        let put = |index, unit| {
            // SAFETY: index <= len < capacity, writable by contract (Buffers).
            unsafe { room.start.add(index).write(unit) };
        };
        if ascii {
            text.bytes().enumerate().for_each(|(index, byte)| put(index, u16::from(byte)));
        } else {
            text.encode_utf16().take(len).enumerate().for_each(|(index, unit)| put(index, unit));
        }
        put(len, 0);
        room.out_len.set(len);
        Ok(())
    }
}

/// An array of places of equal size in the caller's memory, for texts that are ended by NUL.
#[derive(Debug)]
pub(crate) struct Places {
    start: *mut u8,
    size: usize,
    count: usize,
}

impl Places {
    /// # Safety
    /// Contract, Buffers: `start` is NULL, or `count` times `size` bytes can be written there.
    pub(crate) unsafe fn new(start: *mut u8, size: usize, count: usize) -> Result<Self, Failure> {
        if size.checked_mul(count).and_then(|all| isize::try_from(all).ok()).is_none() {
            let message = format_args!("{count} places of {size} bytes cannot be");
            return Err(Failure::new(Code::InvalidArgument, &message));
        }
        if count != 0 {
            present(start, "the buffer")?;
        }
        test_panic::point();
        Ok(Self { start, size, count })
    }

    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Writes a text and a NUL into a place; what is behind them is left alone.
    pub(crate) fn put(&self, place: usize, text: &[u8]) -> Result<(), Failure> {
        if place >= self.count || text.len() >= self.size {
            return Err(Failure::from(Code::Internal)); // the caller has looked before
        }
        // SAFETY: the place lies inside the memory (`Places::new`, `place < count`), and text and
        // NUL in the place.
        unsafe {
            let start = self.start.add(place.saturating_mul(self.size));
            start.copy_from(text.as_ptr(), text.len());
            start.add(text.len()).write(0);
        }
        Ok(())
    }

    /// Zeros everywhere.
    pub(crate) fn wipe(&self) {
        // SAFETY: `Places::new`; size times count fit an isize.
        unsafe { wipe(self.start, self.size.saturating_mul(self.count)) };
    }
}

/// Overwrites memory with zeros, in a way that the compiler does not leave out.
///
/// # Safety
/// Contract, Buffers: NULL, or `len` bytes can be written there.
pub(crate) unsafe fn wipe(pointer: *mut u8, len: usize) {
    if pointer.is_null() || len == 0 || isize::try_from(len).is_err() {
        return;
    }
    // SAFETY: not NULL, writable for `len` bytes; `MaybeUninit` because C may never have written
    // there.
    let memory = unsafe {
        core::slice::from_raw_parts_mut(pointer.cast::<core::mem::MaybeUninit<u8>>(), len)
    };
    zeroize::Zeroize::zeroize(memory);
}

/// A pointer to text that ends in NUL and lives as long as the library; NULL when it does not end
/// in NUL.
pub(crate) const fn static_text(text: &'static [u8]) -> *const c_char {
    match text {
        [.., 0] => text.as_ptr().cast(),
        _ => ptr::null(),
    }
}
