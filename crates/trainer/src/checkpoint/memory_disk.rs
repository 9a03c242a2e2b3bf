//! A disk in memory that can fail at any operation and lose what was not synced.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use super::layer::{DurableFile, FileLayer};

/// What an operation that is made to fail does to those after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// The others work: a full disk, a quota.
    Once,
    /// Nothing works any more: the process is dead.
    Dead,
    /// The others work and so does this one, it says; but a write has written something else.
    Unseen,
}

/// What is left after a crash.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// Everything: only the process died.
    Nothing,
    /// All names, and of the files what was synced.
    Contents,
    /// Only what was synced.
    All,
}

#[derive(Clone, Debug)]
enum Node {
    File { live: Vec<u8>, durable: Vec<u8> },
    Folder { live: Names, durable: Names },
}

type Names = BTreeMap<String, usize>;

/// Paths begin with `/`; node 0 is the root.
#[derive(Debug)]
pub struct MemoryDisk {
    nodes: RefCell<Vec<Node>>,
    /// The operations done, in words.
    pub trace: RefCell<Vec<String>>,
    fault: Cell<Option<(usize, Fault)>>,
    count: Cell<usize>,
    /// What is free, if the disk tells.
    pub free: Cell<Option<u64>>,
}

impl MemoryDisk {
    pub fn new() -> Self {
        Self {
            nodes: RefCell::new(vec![folder()]),
            trace: RefCell::default(),
            fault: Cell::new(None),
            count: Cell::new(0),
            free: Cell::new(None),
        }
    }

    /// Makes the `index`-th operation from now on fail.
    pub fn fail_at(&self, index: usize, fault: Fault) {
        self.count.set(0);
        self.fault.set(Some((index, fault)));
    }

    /// Ends the faults; `true` if there was one.
    pub fn heal(&self) -> bool {
        let fault = self.fault.take();
        fault.is_some_and(|(index, _)| self.count.get() > index)
    }

    pub fn crash(&self, loss: Loss) {
        for node in self.nodes.borrow_mut().iter_mut() {
            match node {
                Node::File { live, durable } if loss != Loss::Nothing => live.clone_from(durable),
                Node::Folder { live, durable } if loss == Loss::All => live.clone_from(durable),
                _ => {}
            }
        }
    }

    /// Puts other bytes into a file, as bit rot does.
    pub fn damage(&self, path: &Path, bytes: &[u8]) {
        let id = self.find(path).unwrap();
        if let Node::File { live, .. } = &mut self.nodes.borrow_mut()[id] {
            *live = bytes.to_vec();
        }
    }

    fn tick(&self, operation: String) -> io::Result<()> {
        let count = self.count.get();
        self.count.set(count + 1);
        let fails = self.fault.get().is_some_and(|(index, fault)| match fault {
            Fault::Once => count == index,
            Fault::Dead => count >= index,
            Fault::Unseen => false,
        });
        if fails {
            return Err(io::Error::other(format!("no {operation}")));
        }
        self.trace.borrow_mut().push(operation);
        Ok(())
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        let nodes = self.nodes.borrow();
        let mut at = 0;
        for name in path.iter().skip(1) {
            let Node::Folder { live, .. } = &nodes[at] else {
                return Err(io::ErrorKind::NotADirectory.into());
            };
            at = *live
                .get(name.to_str().unwrap())
                .ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(at)
    }

    /// Changes the names of the folder that holds `path`; `change` is given the last name.
    fn change<T>(
        &self,
        path: &Path,
        change: impl FnOnce(&mut Names, String) -> io::Result<T>,
    ) -> io::Result<T> {
        let parent = self.find(path.parent().unwrap())?;
        let name = name(path);
        match &mut self.nodes.borrow_mut()[parent] {
            Node::Folder { live, .. } => change(live, name),
            Node::File { .. } => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn add(&self, path: &Path, node: Node) -> io::Result<usize> {
        let id = self.nodes.borrow().len();
        self.change(path, |names, name| match names.insert(name, id) {
            None => Ok(()),
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
        })?;
        self.nodes.borrow_mut().push(node);
        Ok(id)
    }
}

fn folder() -> Node {
    Node::Folder {
        live: Names::new(),
        durable: Names::new(),
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

impl FileLayer for MemoryDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        if self.find(path).is_ok() {
            return Ok(());
        }
        self.tick(format!("create folder {}", name(path)))?;
        self.add(path, folder()).map(drop)
    }

    fn create_file(&self, path: &Path) -> io::Result<Box<dyn DurableFile + '_>> {
        self.tick(format!("create {}", name(path)))?;
        let node = Node::File {
            live: Vec::new(),
            durable: Vec::new(),
        };
        let id = self.add(path, node)?;
        Ok(Box::new(MemoryFile {
            disk: self,
            id,
            name: name(path),
        }))
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.tick(format!("sync folder {}", path.display()))?;
        let id = self.find(path)?;
        if let Node::Folder { live, durable } = &mut self.nodes.borrow_mut()[id] {
            durable.clone_from(live);
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.tick(format!("rename {} {}", name(from), name(to)))?;
        self.change(from, |names, old| {
            if names.contains_key(&name(to)) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            let id = names.remove(&old).ok_or(io::ErrorKind::NotFound)?;
            names.insert(name(to), id);
            Ok(())
        })
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        for file in self.names(path)? {
            self.tick(format!("remove {file}"))?;
            self.change(&path.join(file), |names, name| Ok(names.remove(&name)))?;
        }
        self.tick(format!("remove folder {}", name(path)))?;
        self.change(path, |names, name| Ok(names.remove(&name)))?;
        Ok(())
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let Ok(id) = self.find(path) else {
            return Ok(Vec::new());
        };
        match &self.nodes.borrow()[id] {
            Node::Folder { live, .. } => Ok(live.keys().cloned().collect()),
            Node::File { .. } => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn free_bytes(&self, _: &Path) -> io::Result<Option<u64>> {
        Ok(self.free.get())
    }

    fn read(&self, path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
        match &self.nodes.borrow()[self.find(path)?] {
            Node::File { live, .. } if live.len() as u64 <= max_bytes => Ok(live.clone()),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

struct MemoryFile<'a> {
    disk: &'a MemoryDisk,
    id: usize,
    name: String,
}

impl Write for MemoryFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let due = Some((self.disk.count.get(), Fault::Unseen));
        let is_garbled = self.disk.fault.get() == due;
        let result = self.disk.tick(format!("write {}", self.name));
        // A write that fails has written a part.
        let count = bytes.len().div_ceil(if result.is_ok() { 1 } else { 2 });
        if let Node::File { live, .. } = &mut self.disk.nodes.borrow_mut()[self.id] {
            live.extend_from_slice(&bytes[..count]);
            if let (true, Some(last)) = (is_garbled, live.last_mut()) {
                *last ^= 1;
            }
        }
        result.map(|()| count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DurableFile for MemoryFile<'_> {
    fn sync(&mut self) -> io::Result<()> {
        self.disk.tick(format!("sync {}", self.name))?;
        if let Node::File { live, durable } = &mut self.disk.nodes.borrow_mut()[self.id] {
            durable.clone_from(live);
        }
        Ok(())
    }
}

impl FileLayer for &MemoryDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        (**self).create_folder(path)
    }

    fn create_file(&self, path: &Path) -> io::Result<Box<dyn DurableFile + '_>> {
        (**self).create_file(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        (**self).sync_folder(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        (**self).rename(from, to)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        (**self).remove_folder(path)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        (**self).names(path)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<Option<u64>> {
        (**self).free_bytes(path)
    }

    fn read(&self, path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
        (**self).read(path, max_bytes)
    }
}
