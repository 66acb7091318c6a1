//! A disk that loses its power: what a sync promised is there, and of everything since then any
//! part.
//!
//! What is assumed of the disk: a sector of 512 bytes is written whole or not at all, and writing
//! one leaves its neighbours alone. What is not assumed: any order between two writes, or between
//! the data of a file and its name. A name is there for sure once its folder was synced; the
//! changes in one folder appear in their order, as every journal of a file system has it.

use alloc::collections::{BTreeMap, BTreeSet};
use core::hash::{Hash as _, Hasher as _};
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

const SECTOR: usize = 512;

/// What happened to the files of a folder. A file goes by its number, which another one can get
/// when it is gone.
#[derive(Clone, Debug)]
pub enum Event {
    Made(u64, String),
    MadeFolder(String),
    Written(u64, usize, Vec<u8>),
    Cut(u64, usize),
    Synced(u64),
    SyncedFolder(String),
    Linked(String, String),
    Renamed(String, String),
    Removed(String),
    /// The test was told something.
    Mark(u64),
}

/// What power.c wrote down.
pub fn read(journal: &Path) -> Vec<Event> {
    let bytes = fs::read(journal).unwrap();
    let (mut rest, mut events) = (bytes.as_slice(), Vec::new());
    while let Some((head, behind)) = rest.split_first_chunk::<21>() {
        let word = |at: usize| u64::from_ne_bytes(head[at..at + 8].try_into().unwrap());
        let len = u32::from_ne_bytes(head[17..].try_into().unwrap());
        let (bytes, behind) = behind.split_at(usize::try_from(len).unwrap());
        rest = behind;
        let (file, number) = (word(1), usize::try_from(word(9)).unwrap());
        let names = String::from_utf8_lossy(bytes).into_owned();
        let two = || {
            let (from, to) = names.split_once('\0').unwrap();
            (from.to_owned(), to.to_owned())
        };
        events.push(match head[0] {
            b'C' => Event::Made(file, names),
            b'K' => Event::MadeFolder(names),
            b'W' => Event::Written(file, number, bytes.to_vec()),
            b'T' => Event::Cut(file, number),
            b'S' => Event::Synced(file),
            b'D' => Event::SyncedFolder(names),
            b'L' => Event::Linked(two().0, two().1),
            b'R' => Event::Renamed(two().0, two().1),
            b'U' => Event::Removed(names),
            b'M' => Event::Mark(file),
            other => panic!("{other}"),
        });
    }
    assert!(rest.is_empty());
    events
}

/// How much of what was not synced is on the disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Luck {
    Nothing,
    Everything,
    /// Each sector by itself, by chance.
    Some(u64),
    /// Each call by itself, by chance.
    Calls(u64),
}

#[derive(Clone)]
enum Change {
    Written(usize, Vec<u8>),
    Cut(usize),
}

#[derive(Clone, Default)]
struct Node {
    synced: Vec<u8>,
    since: Vec<Change>,
}

/// What a name stands for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Entry {
    Folder,
    File(usize),
}

type Names = BTreeMap<String, Entry>;

#[derive(Clone)]
struct Renaming {
    folder: String,
    /// These names are gone, and this one is there.
    gone: Option<String>,
    there: Option<(String, Entry)>,
}

/// The folder, as a program sees it and as the disk has it.
pub struct Disk {
    nodes: Vec<Node>,
    numbers: BTreeMap<u64, usize>,
    now: Names,
    synced: Names,
    since: Vec<Renaming>,
}

impl Disk {
    /// Everything that is in the folder, synced.
    pub fn of(folder: &Path) -> Self {
        let mut disk = Self {
            nodes: Vec::new(),
            numbers: BTreeMap::new(),
            now: Names::new(),
            synced: Names::new(),
            since: Vec::new(),
        };
        disk.add(folder, "");
        disk.synced = disk.now.clone();
        disk
    }

    fn add(&mut self, folder: &Path, under: &str) {
        for found in fs::read_dir(folder).unwrap() {
            let found = found.unwrap();
            let name = format!("{under}{}", found.file_name().to_str().unwrap());
            let metadata = found.metadata().unwrap();
            let entry = if metadata.is_dir() {
                self.add(&found.path(), &format!("{name}/"));
                Entry::Folder
            } else {
                let synced = fs::read(found.path()).unwrap();
                self.numbers.insert(metadata.ino(), self.nodes.len());
                self.nodes.push(Node { synced, since: Vec::new() });
                Entry::File(self.nodes.len() - 1)
            };
            self.now.insert(name, entry);
        }
    }

    fn node(&mut self, number: u64) -> &mut Node {
        &mut self.nodes[self.numbers[&number]]
    }

    fn rename(&mut self, gone: Option<String>, there: Option<(String, Entry)>) {
        let name = gone.as_ref().or_else(|| there.as_ref().map(|(name, _)| name)).unwrap();
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let renaming = Renaming { folder, gone, there };
        renaming.apply(&mut self.now);
        self.since.push(renaming);
    }

    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Made(number, name) => {
                self.nodes.push(Node::default());
                self.numbers.insert(*number, self.nodes.len() - 1);
                self.rename(None, Some((name.clone(), Entry::File(self.nodes.len() - 1))));
            }
            Event::MadeFolder(name) => self.rename(None, Some((name.clone(), Entry::Folder))),
            Event::Written(number, at, bytes) => {
                self.node(*number).since.push(Change::Written(*at, bytes.clone()));
            }
            Event::Cut(number, len) => self.node(*number).since.push(Change::Cut(*len)),
            Event::Synced(number) => self.node(*number).sync(),
            Event::SyncedFolder(folder) => {
                let (now, later) =
                    self.since.drain(..).partition(|renaming| renaming.folder == *folder);
                self.since = later;
                let now: Vec<Renaming> = now;
                now.iter().for_each(|renaming| renaming.apply(&mut self.synced));
            }
            Event::Linked(from, to) => self.rename(None, Some((to.clone(), self.now[from]))),
            Event::Renamed(from, to) => {
                self.rename(Some(from.clone()), Some((to.clone(), self.now[from])));
            }
            Event::Removed(name) => self.rename(Some(name.clone()), None),
            Event::Mark(_) => {}
        }
    }

    /// What is on it when the power fails now.
    pub fn left(&self, luck: Luck) -> Left {
        let mut chance = Chance::of(luck);
        let mut names = self.synced.clone();
        let mut stopped = BTreeSet::new();
        for renaming in &self.since {
            if !stopped.contains(&renaming.folder) && chance.name() {
                renaming.apply(&mut names);
            } else {
                stopped.insert(renaming.folder.clone());
            }
        }
        let folders: BTreeSet<String> = names
            .iter()
            .filter(|(_, entry)| **entry == Entry::Folder)
            .map(|(name, _)| name.clone())
            .collect();
        names.retain(|name, _| {
            name.rsplit_once('/').is_none_or(|(folder, _)| folders.contains(folder))
        });
        let files = names.values().filter_map(|entry| match entry {
            Entry::File(number) => Some((*number, self.nodes[*number].left(&mut chance))),
            Entry::Folder => None,
        });
        let files = files.collect();
        Left { names, files }
    }
}

impl Renaming {
    fn apply(&self, names: &mut Names) {
        if let Some(name) = &self.gone {
            names.remove(name);
        }
        if let Some((name, entry)) = &self.there {
            names.insert(name.clone(), *entry);
        }
    }
}

impl Node {
    fn sync(&mut self) {
        self.synced = self.left(&mut Chance::of(Luck::Everything));
        self.since.clear();
    }

    fn left(&self, chance: &mut Chance) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for change in &self.since {
            match change {
                Change::Cut(len) if chance.call() => bytes.resize(*len, 0),
                Change::Cut(_) => {}
                Change::Written(at, written) => {
                    let call = chance.call();
                    let (mut from, end) = (0, written.len());
                    while from < end {
                        let to = ((*at + from) / SECTOR * SECTOR + SECTOR - at).min(end);
                        if call && chance.sector() {
                            let place = *at + from..*at + to;
                            if bytes.len() < place.end {
                                bytes.resize(place.end, 0);
                            }
                            bytes[place].copy_from_slice(&written[from..to]);
                        }
                        from = to;
                    }
                }
            }
        }
        bytes
    }
}

/// What the power left.
pub struct Left {
    names: Names,
    files: BTreeMap<usize, Vec<u8>>,
}

impl Left {
    /// Two that are the same have the same number.
    pub fn number(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (name, entry) in &self.names {
            name.hash(&mut hasher);
            if let Entry::File(number) = entry {
                self.files[number].hash(&mut hasher);
            }
        }
        hasher.finish()
    }

    pub fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Into an empty folder. The index beside a log is shared memory that nobody syncs: anything
    /// can be in it.
    pub fn write(&self, folder: &Path) {
        let mut placed: BTreeMap<usize, &str> = BTreeMap::new();
        for name in self.names.keys().filter_map(|name| name.strip_suffix("-wal")) {
            let index = folder.join(format!("{name}-shm"));
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(index).unwrap();
            std::io::Write::write_all(&mut file, &[0xa5; 32_768]).unwrap();
        }
        for (name, entry) in &self.names {
            let path = folder.join(name);
            match entry {
                Entry::Folder => fs::DirBuilder::new().mode(0o700).create(path).unwrap(),
                Entry::File(number) => {
                    if let Some(other) = placed.get(number) {
                        fs::hard_link(folder.join(other), path).unwrap();
                        continue;
                    }
                    let mut options = fs::OpenOptions::new();
                    let mut file =
                        options.write(true).create_new(true).mode(0o700).open(path).unwrap();
                    std::io::Write::write_all(&mut file, &self.files[number]).unwrap();
                    placed.insert(*number, name);
                }
            }
        }
    }
}

/// The same luck, the same disk.
struct Chance {
    luck: Luck,
    state: u64,
}

impl Chance {
    const fn of(luck: Luck) -> Self {
        let state = match luck {
            Luck::Nothing | Luck::Everything => 0,
            Luck::Some(seed) | Luck::Calls(seed) => seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        };
        Self { luck, state }
    }

    fn toss(&mut self) -> bool {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state >> 40 & 1 == 1
    }

    fn name(&mut self) -> bool {
        match self.luck {
            Luck::Nothing => false,
            Luck::Everything => true,
            // Most often all of them: one that is missing hides what is behind it.
            Luck::Some(_) | Luck::Calls(_) => self.toss() || self.toss(),
        }
    }

    fn call(&mut self) -> bool {
        match self.luck {
            Luck::Nothing => false,
            Luck::Everything | Luck::Some(_) => true,
            Luck::Calls(_) => self.toss(),
        }
    }

    fn sector(&mut self) -> bool {
        match self.luck {
            Luck::Some(_) => self.toss(),
            Luck::Nothing | Luck::Everything | Luck::Calls(_) => true,
        }
    }
}
