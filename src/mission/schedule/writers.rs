//! Who of many writers may write what another task may, found without asking each.
//!
//! Two paths can only meet where the folders before the first `*` of one begin with those of the other. The
//! folders of a plan have numbers, given once; the writers of one moment stand at the folders of their paths.

use std::collections::HashMap;

use crate::mission::plan::TaskPath;

/// For each task and each of its paths the folders above it from the root on, and itself, as numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Folders {
    chains: Vec<Vec<Vec<usize>>>,
    count: usize,
}

impl Folders {
    /// Of what each task may write; `None`: nothing. An empty list: anything.
    pub(super) fn of(writes: &[Option<Vec<TaskPath>>]) -> Self {
        let mut numbers: HashMap<(usize, &str), usize> = HashMap::new();
        let mut chains = Vec::with_capacity(writes.len());
        for paths in writes {
            let mut own = Vec::new();
            for path in paths.iter().flatten() {
                let mut chain = vec![0];
                let plain = path
                    .as_str()
                    .split('/')
                    .take_while(|name| !name.contains('*'));
                let mut at = 0;
                for name in plain {
                    let next = numbers.len() + 1;
                    at = *numbers.entry((at, name)).or_insert(next);
                    chain.push(at);
                }
                own.push(chain);
            }
            if own.is_empty() && paths.is_some() {
                own.push(vec![0]);
            }
            chains.push(own);
        }
        Self {
            chains,
            count: numbers.len() + 1,
        }
    }

    fn chains(&self, task: usize) -> &[Vec<usize>] {
        self.chains.get(task).map_or(&[], Vec::as_slice)
    }
}

/// The tasks that hold their paths at one moment, in the order in which they were added.
pub(super) struct Writers<'a> {
    folders: &'a Folders,
    /// By folder: the writers one of whose paths ends there, and those one of whose paths leads through it.
    ends: Vec<Vec<(usize, usize)>>,
    through: Vec<Vec<(usize, usize)>>,
    count: usize,
}

impl<'a> Writers<'a> {
    pub(super) fn new(folders: &'a Folders) -> Self {
        Self {
            folders,
            ends: vec![Vec::new(); folders.count],
            through: vec![Vec::new(); folders.count],
            count: 0,
        }
    }

    /// Adds a task; one that writes nothing stands nowhere.
    pub(super) fn add(&mut self, task: usize) {
        let writer = (self.count, task);
        self.count += 1;
        for chain in self.folders.chains(task) {
            if let Some(at) = chain.last().and_then(|&last| self.ends.get_mut(last)) {
                at.push(writer);
            }
            for &folder in chain {
                if let Some(at) = self.through.get_mut(folder) {
                    at.push(writer);
                }
            }
        }
    }

    /// The first of those that were added that `may_meet` the task.
    pub(super) fn first(&self, task: usize, may_meet: impl Fn(usize) -> bool) -> Option<usize> {
        let lists = self.folders.chains(task).iter().flat_map(|chain| {
            let above = chain.iter().filter_map(|&folder| self.ends.get(folder));
            let below = chain.last().and_then(|&last| self.through.get(last));
            above.chain(below)
        });
        let first = lists.filter_map(|list| list.iter().find(|(_, other)| may_meet(*other)));
        first.min().map(|(_, task)| *task)
    }
}
