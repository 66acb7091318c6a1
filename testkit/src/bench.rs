//! A whole device in a temporary folder: vault, readers, an account that is a file, an agent.

use alloc::sync::Arc;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use laps_core::identity::{DeviceId, Scope};
use laps_core::random::Generator;
use laps_core::seal::{ReaderKey, Record, Suite};
use laps_core::secret::Password;
use laps_core::vault::{DiscloseOptions, Request, Selection, Vault};
use laps_host::account::AccountStore;
use laps_host::account::command::CommandStore;
use laps_host::agent::channel::VaultChannel;
use laps_host::agent::event::AgentEvent;
use laps_host::agent::{Agent, AgentError, AgentOptions, PolicySource, RunOutcome, journal};
use laps_host::sqlite::SqliteStore;
use laps_host::time::now;

pub const DEVICE: &str = "pc-1";
pub const POLICY: &str = r#"{"BackupDirectory":1,"AdministratorAccountName":"Admin"}"#;

pub struct Bench {
    pub folder: tempfile::TempDir,
    pub reader: ReaderKey,
    pub events: Arc<Mutex<Vec<AgentEvent>>>,
}

impl Bench {
    pub fn new() -> Self {
        let mut generator = Generator::from_system().unwrap();
        let reader = ReaderKey::generate(Suite::XWing, "helpdesk", &mut generator).unwrap();
        let bench = Self { folder: tempfile::tempdir().unwrap(), reader, events: Arc::default() };
        SqliteStore::init(bench.path("vault")).unwrap();
        bench.script(HONEST);
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The account's program: the first argument is the folder, then the verb and the account.
    pub fn script(&self, text: &str) {
        let path = self.path("account.sh");
        crate::program::write(&path, &format!("D=$1; shift\n{text}"));
    }

    pub fn store(&self) -> CommandStore {
        let script = self.path("account.sh");
        CommandStore::new(&format!("{} {}", script.display(), self.folder.path().display()))
            .unwrap()
    }

    pub fn vault(&self) -> Vault<SqliteStore> {
        Vault::from_system(SqliteStore::open(self.path("vault")).unwrap())
    }

    pub fn options(&self) -> AgentOptions {
        let policy = PolicySource::Texts(vec![("p.json".to_owned(), POLICY.as_bytes().to_vec())]);
        let device = DeviceId::new(DEVICE).unwrap();
        let readers = vec![self.reader.reader().clone()];
        let mut options = AgentOptions::new(device, readers, policy, self.path("state"));
        options.patience = core::time::Duration::ZERO;
        options.lock_timeout = core::time::Duration::from_millis(200);
        options.setter_timeout = core::time::Duration::from_secs(5);
        options
    }

    pub fn agent_with(
        &self,
        options: AgentOptions,
        store: Box<dyn AccountStore + Send>,
    ) -> Result<Agent, AgentError> {
        let channel = VaultChannel::new(self.vault(), Scope::EMPTY, DeviceId::new(DEVICE).unwrap());
        let events = Arc::clone(&self.events);
        let sink = Box::new(move |event: &AgentEvent| events.lock().unwrap().push(event.clone()));
        Agent::open(options, store, Box::new(channel), sink)
    }

    pub fn agent(&self) -> Agent {
        self.agent_with(self.options(), Box::new(self.store())).unwrap()
    }

    pub fn run(&self) -> RunOutcome {
        self.agent().run_once(false).unwrap()
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.events.lock().unwrap().iter().map(|event| event.name).collect()
    }

    /// What the account has.
    pub fn held(&self) -> String {
        fs::read_to_string(self.path("Admin")).unwrap()
    }

    /// What a reader gets from the vault.
    pub fn candidates(&self) -> Vec<String> {
        let request = Request::new("tester", "a test");
        let disclosure = self
            .vault()
            .disclose(&Scope::EMPTY, DEVICE, &request, DiscloseOptions::default(), now())
            .unwrap();
        disclosure.candidates.iter().map(|candidate| self.open(&candidate.sealed)).collect()
    }

    /// What a reader gets from the journal alone.
    pub fn journalled(&self) -> Vec<String> {
        let file = journal::read(&fs::read(self.path("state/journal")).unwrap()).unwrap();
        file.records.iter().map(|sealed| self.open(sealed)).collect()
    }

    pub fn open(&self, sealed: &[u8]) -> String {
        let record = Record::parse(sealed).unwrap();
        let password: Box<Password> = self.reader.open(&record).unwrap().password;
        password.expose_secret().to_owned()
    }

    pub fn order(&self) {
        let request = Request::new("tester", "a test");
        self.vault()
            .order_rotation(&Scope::EMPTY, Selection::Devices(&[DEVICE]), &request, now())
            .unwrap();
    }
}

/// Does what it says.
pub const HONEST: &str = r#"
case $1 in
set) cat > "$D/$2.new" && mv "$D/$2.new" "$D/$2" ;;
verify) cat > "$D/asked"; cmp -s "$D/asked" "$D/$2" || exit 13 ;;
used-since) ;;
*) exit 11 ;;
esac"#;
