//! How a check-in reaches the vault: a vault on this machine, your program, or your own code.

use core::fmt;
#[cfg(unix)]
use core::time::Duration;

use laps_core::error::Code;

#[cfg(unix)]
use crate::account::child::{self, ChildInput, Ending, run};

/// Carries a check-in to the vault and brings its answer. It authenticates this device to the
/// vault.
pub trait Channel {
    /// One round trip. An error means that the answer is not known; the vault may have taken the
    /// check-in.
    ///
    /// # Errors
    /// [`ChannelError`].
    fn exchange(&mut self, check_in: &[u8]) -> Result<Vec<u8>, ChannelError>;
}

impl<F: FnMut(&[u8]) -> Result<Vec<u8>, ChannelError>> Channel for F {
    fn exchange(&mut self, check_in: &[u8]) -> Result<Vec<u8>, ChannelError> {
        self(check_in)
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ChannelError {
    /// The number: `Unreachable` and `Busy` mean "try again".
    pub code: Code,
    /// What happened.
    pub text: String,
}

impl ChannelError {
    /// From its parts.
    #[must_use]
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// The vault cannot be reached.
    #[must_use]
    pub fn unreachable(text: impl Into<String>) -> Self {
        Self::new(Code::Unreachable, text)
    }

    /// The number of this error.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}

impl core::error::Error for ChannelError {}

/// A vault on this machine, or one that this process keeps. The device is the one given here.
#[cfg(feature = "vault")]
#[derive(Debug)]
pub struct VaultChannel<S> {
    vault: laps_core::vault::Vault<S>,
    scope: laps_core::identity::Scope,
    device: laps_core::identity::DeviceId,
}

#[cfg(feature = "vault")]
impl<S: laps_core::vault::Store> VaultChannel<S> {
    /// Speaks to this vault for this device.
    #[must_use]
    pub const fn new(
        vault: laps_core::vault::Vault<S>,
        scope: laps_core::identity::Scope,
        device: laps_core::identity::DeviceId,
    ) -> Self {
        Self { vault, scope, device }
    }
}

#[cfg(feature = "vault")]
impl<S: laps_core::vault::Store> Channel for VaultChannel<S> {
    fn exchange(&mut self, check_in: &[u8]) -> Result<Vec<u8>, ChannelError> {
        self.vault
            .check_in(&self.scope, self.device.as_str(), check_in, crate::time::now())
            .map_err(|error| ChannelError::new(error.code(), error.to_string()))
    }
}

/// A program: the check-in on standard input, the answer on standard output, exit status 0.
/// Everything else is "unreachable".
///
/// It gets the environment of a command store's program, and nothing else of the agent's: proxies,
/// certificates and tokens are named by the program itself, or by `env NAME=VALUE PROGRAM`. It sees
/// no password, so an error quotes what it says.
#[cfg(unix)]
#[derive(Clone, Debug)]
pub struct CommandChannel {
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
}

#[cfg(unix)]
impl CommandChannel {
    /// Splits the command into words, as the command store does. It may take 60 seconds.
    ///
    /// # Errors
    /// [`ChannelError`] when there is no word, or a quote is not closed.
    pub fn new(command: &str) -> Result<Self, ChannelError> {
        let mut words = shlex::split(command).unwrap_or_default().into_iter();
        let program = words.next().ok_or_else(|| {
            ChannelError::new(
                Code::InvalidArgument,
                "the command has no words, or a quote is not closed",
            )
        })?;
        Ok(Self { program, arguments: words.collect(), timeout: Duration::from_secs(60) })
    }

    /// Another time-out.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

#[cfg(unix)]
impl Channel for CommandChannel {
    fn exchange(&mut self, check_in: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let mut command = child::command(&self.program);
        command.args(&self.arguments);
        let finished = run(&mut command, ChildInput::Public(check_in), self.timeout, None)
            .map_err(|error| ChannelError::unreachable(format!("{}: {error}", self.program)))?;
        if finished.ending != Ending::Exited(0) {
            return Err(ChannelError::unreachable(format!(
                "{}: {}",
                self.program,
                finished.describe()
            )));
        }
        Ok(finished.stdout)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_gets_the_check_in_and_gives_the_answer() {
        let mut channel = CommandChannel::new("tr a b").unwrap();
        // More than a pipe holds.
        assert_eq!(channel.exchange(&[b'a'; 500_000]).unwrap(), [b'b'; 65_536]);
        let mut channel = CommandChannel::new("false").unwrap();
        assert_eq!(channel.exchange(b"a").unwrap_err().code(), Code::Unreachable);
        let mut channel =
            CommandChannel::new("sleep 600").unwrap().with_timeout(Duration::from_millis(50));
        assert_eq!(channel.exchange(b"a").unwrap_err().code(), Code::Unreachable);
        assert_eq!(CommandChannel::new("").unwrap_err().code(), Code::InvalidArgument);
    }
}
