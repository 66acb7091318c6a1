//! Who and where an agent is, and what it works with.

use core::ffi::{c_char, c_void};
use core::time::Duration;
use std::path::PathBuf;

use laps_core::error::Code;
use laps_core::identity::{DeviceId, Scope};
use laps_core::policy::Clash;
use laps_host::account;
use laps_host::agent::{Agent, AgentOptions, EventSink, PolicySource, ReaderSetSource};

use super::channel::{Told, User, Way, laps_channel, laps_on_event};
use super::store::{Calls, laps_account_calls};
use crate::failure::Failure;
use crate::pointer::{self, Out, Poison, object};
use crate::reader::laps_reader;
use crate::signer::laps_signer;
use crate::status::{answer, laps_status, value};

/// What an agent is opened with: the device and its state folder, at least one policy document,
/// readers or a signed reader set, an account store, a channel.
#[derive(Debug)]
pub struct laps_agent_options {
    poison: Poison,
    options: AgentOptions,
    store: Option<Store>,
    channel: Option<Way>,
    told: Option<Told>,
}
object!(laps_agent_options);

#[derive(Clone, Debug)]
enum Store {
    Named(String),
    Own(Calls),
}

impl laps_agent_options {
    pub(super) fn open(&self) -> Result<Agent, Failure> {
        let lacks = |what: &str| {
            Failure::new(Code::InvalidArgument, &format_args!("the options have no {what}"))
        };
        let documents = match &self.options.policy {
            PolicySource::Texts(texts) => texts.len(),
            PolicySource::Files(files) => files.len(),
            _ => 0,
        };
        if documents == 0 {
            return Err(lacks("policy: laps_agent_options_add_policy()"));
        }
        let channel =
            self.channel.ok_or_else(|| lacks("channel: laps_agent_options_set_channel()"))?;
        let store: Box<dyn account::AccountStore + Send> = match &self.store {
            Some(Store::Named(name)) => account::open(name)?,
            Some(Store::Own(calls)) => Box::new(*calls),
            None => return Err(lacks("account store: laps_agent_options_set_store()")),
        };
        let told = self.told;
        let events: EventSink = Box::new(move |event| {
            if let Some(told) = told {
                told.tell(event);
            }
        });
        Ok(Agent::open(self.options.clone(), store, Box::new(channel), events)?)
    }
}

/// Options for a device, as the vault calls it, with the folder that keeps its state.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_new(
    device: *const c_char,
    device_len: usize,
    folder: *const c_char,
    folder_len: usize,
    out_options: *mut *mut laps_agent_options,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (device, folder, out) = unsafe {
            (
                pointer::text(device, device_len, "device")?,
                pointer::text(folder, folder_len, "folder")?,
                Out::new(out_options, "out_options")?,
            )
        };
        if folder.is_empty() {
            return Err(Failure::new(Code::InvalidArgument, &"the state folder has no name"));
        }
        let device = DeviceId::new(device)?;
        let policy = PolicySource::Texts(Vec::new());
        let options = AgentOptions::new(device, Vec::new(), policy, folder.into());
        let (store, channel, told) = (None, None, None);
        let poison = Poison::default();
        out.give(Box::new(laps_agent_options { poison, options, store, channel, told }));
        Ok(())
    })
}

fn change(
    options: *mut laps_agent_options,
    change: impl FnOnce(&mut laps_agent_options) -> Result<(), Failure>,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects.
        let mut options = unsafe { pointer::exclusive(options) }?;
        change(&mut options)
    })
}

/// Sets the scope (the tenant): at most 64 bytes.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_set_scope(
    options: *mut laps_agent_options,
    scope: *const c_char,
    scope_len: usize,
) -> laps_status {
    change(options, |options| {
        // SAFETY: contract, Buffers.
        options.options.scope = Scope::new(unsafe { pointer::text(scope, scope_len, "scope") }?)?;
        Ok(())
    })
}

/// Adds a policy document of any known form, which is copied; source names it in findings. What
/// several documents say is joined as laps_evaluation_policy() does it. A refused policy changes
/// nothing: the last accepted one stays in force, and an event says so.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_add_policy(
    options: *mut laps_agent_options,
    document: *const u8,
    document_len: usize,
    source: *const c_char,
    source_len: usize,
) -> laps_status {
    change(options, |options| {
        // SAFETY: contract, Buffers.
        let (document, source) = unsafe {
            (
                pointer::bytes(document, document_len, "document")?,
                pointer::text(source, source_len, "source")?,
            )
        };
        let added = (source.to_owned(), document.to_vec());
        match &mut options.options.policy {
            PolicySource::Texts(texts) => texts.push(added),
            PolicySource::Files(_) | _ => return Err(mixed()),
        }
        Ok(())
    })
}

/// Adds the file of a policy document, which is read again at every run, so that a changed one is
/// followed. Documents are all files, or none is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_add_policy_file(
    options: *mut laps_agent_options,
    path: *const c_char,
    path_len: usize,
) -> laps_status {
    change(options, |options| {
        // SAFETY: contract, Buffers.
        let path = PathBuf::from(unsafe { pointer::text(path, path_len, "path") }?);
        match &mut options.options.policy {
            PolicySource::Files(files) => files.push(path),
            policy @ PolicySource::Texts(_) if is_empty(policy) => {
                *policy = PolicySource::Files(vec![path]);
            }
            PolicySource::Texts(_) | _ => return Err(mixed()),
        }
        Ok(())
    })
}

fn is_empty(policy: &PolicySource) -> bool {
    matches!(policy, PolicySource::Texts(texts) if texts.is_empty())
}

fn mixed() -> Failure {
    Failure::new(Code::InvalidArgument, &"policy documents are all files, or none is")
}

/// Whether the last of two documents that clash wins; otherwise a clash is refused.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_set_last_wins(
    options: *mut laps_agent_options,
    last_wins: bool,
) -> laps_status {
    change(options, |options| {
        options.options.clash = if last_wins { Clash::LastWins } else { Clash::Refuse };
        Ok(())
    })
}

/// Sets for whom passwords are sealed: 1 to 16 readers, which are copied.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_set_readers(
    options: *mut laps_agent_options,
    readers: *const *const laps_reader,
    reader_count: usize,
) -> laps_status {
    change(options, |options| {
        // SAFETY: contract, Objects and Buffers.
        let readers = unsafe { pointer::objects(readers, reader_count, "readers") }?;
        options.options.readers = readers.iter().map(|reader| reader.reader.clone()).collect();
        Ok(())
    })
}

/// Sets, in place of readers, the file of a signed reader set, which is read again at every run,
/// and who signs it. The first authority is pinned in the state folder, and an older set is
/// refused.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_set_reader_set(
    options: *mut laps_agent_options,
    path: *const c_char,
    path_len: usize,
    authority: *const laps_signer,
) -> laps_status {
    change(options, |options| {
        // SAFETY: contract, Objects and Buffers.
        let (path, authority) =
            unsafe { (pointer::text(path, path_len, "path")?, pointer::shared(authority)?) };
        options.options.reader_set = Some(ReaderSetSource::new(path.into(), authority.signer));
        Ok(())
    })
}

/// Sets the account store by its name: "linux" (the accounts of this machine but root, or the one
/// in "linux:NAME"), "windows", or "command:CMD", a program of yours (not on Windows).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_set_store(
    options: *mut laps_agent_options,
    store: *const c_char,
    store_len: usize,
) -> laps_status {
    change(options, |options| {
        // SAFETY: contract, Buffers.
        let store = unsafe { pointer::text(store, store_len, "store") }?;
        // Opening one takes nothing of the machine, so a name that is none is told here.
        let _opened =
            account::open(store).map_err(|error| Failure::new(Code::InvalidArgument, &error))?;
        options.store = Some(Store::Named(store.to_owned()));
        Ok(())
    })
}

/// Sets an account store of your own. The table is copied; user goes to each of its functions, and
/// may be NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_set_account_calls(
    options: *mut laps_agent_options,
    calls: *const laps_account_calls,
    user: *mut c_void,
) -> laps_status {
    change(options, |options| {
        // SAFETY: contract, Buffers: NULL, or a table that begins with its size.
        let calls = unsafe { pointer::sized::<laps_account_calls>(calls, "calls") }?;
        if calls.find.is_none() || calls.set.is_none() {
            return Err(Failure::new(Code::NullArgument, &"find and set must be there"));
        }
        options.store = Some(Store::Own(Calls { calls, user: User(user) }));
        Ok(())
    })
}

/// Sets how a check-in reaches the vault. user goes to channel, and may be NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_set_channel(
    options: *mut laps_agent_options,
    channel: laps_channel,
    user: *mut c_void,
) -> laps_status {
    change(options, |options| {
        let call = channel.ok_or_else(|| Failure::new(Code::NullArgument, &"channel is NULL"))?;
        options.channel = Some(Way { call, user: User(user) });
        Ok(())
    })
}

/// Sets who is told of events; NULL: nobody. user goes to on_event, and may be NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_set_on_event(
    options: *mut laps_agent_options,
    on_event: laps_on_event,
    user: *mut c_void,
) -> laps_status {
    change(options, |options| {
        options.told = on_event.map(|call| Told { call, user: User(user) });
        Ok(())
    })
}

/// Sets how many seconds to wait: for another agent on the state folder (10 by default), for a
/// program that sets the password (30), and in a single run for another try at the account (30). At
/// most 1000000000 each.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_set_timeouts(
    options: *mut laps_agent_options,
    lock_seconds: u64,
    setter_seconds: u64,
    patience_seconds: u64,
) -> laps_status {
    change(options, |options| {
        let most = lock_seconds.max(setter_seconds).max(patience_seconds);
        if most > LONGEST_WAIT {
            let message = format_args!("{most} seconds are too many; at most {LONGEST_WAIT}");
            return Err(Failure::new(Code::InvalidArgument, &message));
        }
        options.options.lock_timeout = Duration::from_secs(lock_seconds);
        options.options.setter_timeout = Duration::from_secs(setter_seconds);
        options.options.patience = Duration::from_secs(patience_seconds);
        Ok(())
    })
}

/// Takes the vault's audit log as it is: a person has looked into what the device said about it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_acknowledge_log(
    options: *mut laps_agent_options,
) -> laps_status {
    change(options, |options| {
        options.options.acknowledge_log = true;
        Ok(())
    })
}

/// Frees options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_agent_options_free(options: *mut laps_agent_options) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(options) };
        Ok(())
    });
}

/// A longer time is none that a clock adds.
pub(super) const LONGEST_WAIT: u64 = 1_000_000_000;
