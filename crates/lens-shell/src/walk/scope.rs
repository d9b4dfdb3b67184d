//! Variables, functions and folders, and how long they last.

use std::rc::Rc;

use super::{CHOICES_MAX, Function, Walk};
use crate::syntax::Node;
use crate::value::{Flow, Value};

/// What a subshell changed and takes back at its end.
pub(super) enum Undo {
    Variable(String, Option<Vec<Vec<Value>>>),
    Function(String, Option<Function>),
}

/// The folders that a command may run in; more are not told apart.
const FOLDERS_MAX: usize = 4;

/// Files whose content is remembered.
const FILES_MAX: usize = 256;

impl Walk<'_> {
    pub(crate) fn home(&self) -> &str {
        let assigned = self.variables.get("HOME").and_then(|all| all.first()?.first());
        let told = self.surroundings.variables.get("HOME");
        match (assigned, told) {
            (Some(value), _) => &value.text,
            (None, Some(told)) if self.surroundings.home.is_empty() => told,
            (None, _) => &self.surroundings.home,
        }
    }

    /// The values of a variable: one, or those of an array.
    pub(crate) fn variable(&self, name: &str) -> Option<Vec<Value>> {
        if let Some(choices) = self.variables.get(name) {
            return choices.get(self.choice).or(choices.last()).cloned();
        }
        let told = self.surroundings.variables.get(name)?;
        Some(vec![Value::known(told.as_str())])
    }

    /// Sees to it that the command which uses this variable is read once for each of its values.
    pub(crate) fn count_choices(&mut self, name: &str) {
        let count = self.variables.get(name).map_or(1, Vec::len);
        self.choices = self.choices.max(count);
    }

    pub(crate) fn arguments(&self) -> Option<&[Value]> {
        self.arguments.as_deref()
    }

    /// `None`: not known from here on.
    pub(crate) fn set_arguments(&mut self, arguments: Option<Vec<Value>>) {
        self.arguments = arguments.map(Rc::from);
    }

    /// Gives a variable a value, beside the ones that it may have when this may not happen.
    pub(crate) fn assign(&mut self, name: &str, values: Vec<Value>) {
        if self.conditional == 0 && self.choice == 0 {
            return self.set_choices(name, vec![values]);
        }
        let told = self.surroundings.variables.get(name);
        let mut choices = match (self.variables.get(name), told) {
            (Some(choices), _) => choices.clone(),
            (None, Some(told)) => vec![vec![Value::known(told.as_str())]],
            (None, None) => Vec::new(),
        };
        self.spend(choices.len() * 8);
        if choices.iter().any(|choice| same(choice, &values)) {
            return;
        }
        if choices.len() >= CHOICES_MAX {
            choices.pop();
            choices.push(vec![Value::unknown(format!("${name}"))]);
        } else {
            choices.push(values);
        }
        self.set_choices(name, choices);
    }

    /// Gives a variable all values that it may have.
    pub(crate) fn set_choices(&mut self, name: &str, mut choices: Vec<Vec<Value>>) {
        if choices.len() > CHOICES_MAX {
            choices.truncate(CHOICES_MAX);
            self.doubt(crate::plan::Doubt::TooLong);
        }
        let before = self.variables.insert(name.to_owned(), choices);
        if self.recording > 0 {
            self.undo.push(Undo::Variable(name.to_owned(), before));
        }
    }

    pub(crate) fn unset(&mut self, name: &str) {
        if self.conditional > 0 || self.surroundings.variables.contains_key(name) {
            return self.assign(name, vec![Value::known("")]);
        }
        let before = self.variables.remove(name);
        if self.recording > 0 {
            self.undo.push(Undo::Variable(name.to_owned(), before));
        }
    }

    pub(super) fn define(&mut self, name: &str, body: &Rc<Node>) {
        let function = Function { body: Rc::clone(body), sure: self.conditional == 0 };
        let before = self.functions.insert(name.to_owned(), function);
        if self.recording > 0 {
            self.undo.push(Undo::Function(name.to_owned(), before));
        }
    }

    pub(super) fn forget_function(&mut self, name: &str) {
        if let Some(function) = self.functions.get_mut(name) {
            function.sure = false;
        }
    }

    /// What happens in `walk` stays there, except for its acts.
    pub(crate) fn subshell(&mut self, walk: impl FnOnce(&mut Self) -> Flow) -> Flow {
        let folders = self.folders.clone();
        let arguments = self.arguments.clone();
        let flow = self.for_a_while(walk);
        self.folders = folders;
        self.arguments = arguments;
        flow
    }

    /// Variables and functions are afterwards as they were.
    pub(super) fn for_a_while(&mut self, walk: impl FnOnce(&mut Self) -> Flow) -> Flow {
        let mark = self.undo.len();
        self.recording += 1;
        let flow = walk(self);
        self.recording -= 1;
        while self.undo.len() > mark {
            match self.undo.pop() {
                Some(Undo::Variable(name, before)) => restore(&mut self.variables, name, before),
                Some(Undo::Function(name, before)) => restore(&mut self.functions, name, before),
                None => break,
            }
        }
        flow
    }

    /// The folder that commands run in now, as well as it is known.
    pub(crate) fn folder(&self) -> String {
        let folder = self.folders.last().map_or("", String::as_str);
        if folder.is_empty() {
            let told = self.surroundings.variables.get("PWD");
            return told.cloned().unwrap_or_else(|| ".".to_owned());
        }
        folder.to_owned()
    }

    pub(super) fn folders(&self) -> &[String] {
        &self.folders
    }

    /// `cd`.
    pub(crate) fn enter(&mut self, folder: &Value) {
        self.suspect(folder.taint);
        self.spend(folder.text.len() * self.folders.len());
        if self.bytes > 0 {
            self.folders = self.folders.iter().map(|from| join(from, &folder.text)).collect();
        }
    }

    /// `pushd`. With `-n` it only notes the folder.
    pub(super) fn push_folder(&mut self, arguments: &[Value]) {
        let before = self.folders().to_vec();
        self.change_folder(arguments);
        if arguments.iter().any(|one| one.text.starts_with(['-', '+']) || one.taint.unknown) {
            self.or_in(before);
        }
    }

    /// `popd`.
    pub(super) fn leave_folder(&mut self, arguments: &[Value]) {
        let before = self.folders().to_vec();
        self.enter(&Value::unknown("$OLDPWD"));
        if !arguments.is_empty() {
            self.or_in(before);
        }
    }

    /// Runs something in another folder.
    pub(crate) fn inside(
        &mut self,
        folder: Option<&Value>,
        walk: impl FnOnce(&mut Self) -> Flow,
    ) -> Flow {
        let Some(folder) = folder else { return walk(self) };
        let before = self.folders.clone();
        self.enter(folder);
        let flow = walk(self);
        self.folders = before;
        flow
    }

    /// The folders may still be these, too.
    pub(super) fn or_in(&mut self, others: Vec<String>) {
        merge(&mut self.folders, others);
    }

    pub(super) fn take_folders(&mut self, folders: Vec<String>) {
        self.folders = folders;
    }

    /// The names that a file may have, seen from where all began.
    fn names(&self, path: &str) -> Vec<String> {
        let start = self.surroundings.variables.get("PWD").map_or(".", String::as_str);
        let place = |folder: &String| match folder.as_str() {
            "" => join(start, path),
            folder => join(folder, path),
        };
        self.folders.iter().map(place).collect()
    }

    /// Remembers what a file has in it.
    pub(crate) fn remember(&mut self, path: &str, flow: &Flow) {
        for path in self.names(path) {
            self.remember_at(path, flow);
        }
    }

    fn remember_at(&mut self, path: String, flow: &Flow) {
        if self.files.len() < FILES_MAX || self.files.contains_key(&path) {
            self.spend(flow.text.as_ref().map_or(0, String::len) + flow.listing.len() * 8);
            self.files.insert(path, flow.clone());
        }
    }

    /// What a file has in it, as far as this line wrote it.
    pub(crate) fn content(&self, value: &Value) -> Flow {
        if let Some(source) = &value.source {
            return Flow::clone(source);
        }
        let names = self.names(&value.text);
        let mut known: Vec<&Flow> = Vec::new();
        for flow in names.iter().filter_map(|name| self.files.get(name)) {
            let is_new = known.iter().all(|one| one.text != flow.text || one.taint != flow.taint);
            if is_new || flow.text.is_none() {
                known.push(flow);
            }
        }
        // It may be any of them; all are read.
        let all = known.into_iter().cloned();
        all.reduce(|all, next| all.then(Flow::text("\n")).then(next)).unwrap_or_else(Flow::unknown)
    }

    pub(crate) fn has_content(&self, value: &Value) -> bool {
        let is_known = |name: &String| self.files.contains_key(name);
        value.source.is_some() || self.names(&value.text).iter().any(is_known)
    }
}

/// Adds the folders that are not among `all`.
pub(super) fn merge(all: &mut Vec<String>, others: Vec<String>) {
    for other in others {
        if !all.contains(&other) && all.len() < FOLDERS_MAX {
            all.push(other);
        }
    }
}

fn restore<T>(map: &mut std::collections::BTreeMap<String, T>, name: String, before: Option<T>) {
    match before {
        Some(before) => drop(map.insert(name, before)),
        None => drop(map.remove(&name)),
    }
}

fn same(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.text == b.text && a.taint == b.taint)
}

/// `path`, seen from where `folder` is.
pub(crate) fn join(folder: &str, path: &str) -> String {
    let path = path.strip_prefix("./").filter(|rest| !rest.is_empty()).unwrap_or(path);
    let absolute = path.starts_with('/') || path.starts_with('~') || folder.is_empty();
    if absolute || folder == "." {
        return path.to_owned();
    }
    if path.is_empty() || path == "." {
        return folder.to_owned();
    }
    format!("{}/{path}", folder.trim_end_matches('/'))
}
