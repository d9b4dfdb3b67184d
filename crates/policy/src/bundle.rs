//! A policy bundle: sources that compiled.

use std::fmt;
use std::sync::Arc;

use regorus::rvm::program::Program;
use regorus::{Engine, Value};

use crate::result::Places;
use crate::{Judge, compile};

/// The rule whose value is the answer.
pub(crate) const ENTRY_POINT: &str = "data.pathwarden.decision";

/// The package of every rule file.
pub(crate) const PACKAGE: &str = "pathwarden";

/// One file of a bundle.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Source {
    /// Path within the bundle. Its end says what it is: `.rego` rules, `_test.rego` tests of rules,
    /// `.json` data.
    pub path: String,
    /// Its content.
    pub text: String,
}

impl Source {
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("_test.rego")
    }

    pub(crate) fn is_rules(&self) -> bool {
        self.path.ends_with(".rego") && !self.is_test()
    }

    pub(crate) fn is_data(&self) -> bool {
        self.path.ends_with(".json")
    }
}

/// One reason why a bundle does not compile.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct CompileFault {
    /// File in the bundle; empty for a fault of the bundle as a whole.
    pub file: String,
    /// Line in the file, from 1; 0 where none applies.
    pub line: u32,
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub advice: String,
}

impl fmt::Display for CompileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", _) => f.write_str("bundle")?,
            (file, 0) => f.write_str(file)?,
            (file, line) => write!(f, "{file}:{line}")?,
        }
        write!(f, ": {}; {}", self.message, self.advice)
    }
}

impl std::error::Error for CompileFault {}

/// Where a rule stands.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct RulePlace {
    /// Its name.
    pub rule: String,
    /// File in the bundle.
    pub file: String,
    /// Line in the file, from 1.
    pub line: u32,
}

/// A compiled bundle; cheap to clone, shared by all workers.
#[derive(Clone, Debug)]
pub struct Bundle(Arc<Parts>);

/// What compiling gives.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) sources: Vec<Source>,
    pub(crate) rules: Vec<RulePlace>,
    pub(crate) places: Places,
    pub(crate) program: Arc<Program>,
    pub(crate) data: Value,
    pub(crate) engine: Engine,
    pub(crate) can_fail: bool,
}

impl Bundle {
    /// Compiles `sources`, in any order.
    ///
    /// Every file's name, size, syntax, package, rule names and calls are checked, and the rules are
    /// compiled for the bytecode machine. Test files are only parsed.
    ///
    /// # Errors
    ///
    /// All faults, by file and line. What needs the rules as a whole, such as an unknown variable,
    /// is looked for once each file is right by itself.
    pub fn compile(sources: Vec<Source>) -> Result<Self, Vec<CompileFault>> {
        compile::compile(sources).map(|parts| Self(Arc::new(parts)))
    }

    /// The sources, by path: what to digest, record and show.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.0.sources
    }

    /// Every rule of the bundle, by name.
    #[must_use]
    pub fn rules(&self) -> &[RulePlace] {
        &self.0.rules
    }

    /// A judge for one worker.
    #[must_use]
    pub fn judge(&self) -> Judge {
        Judge::of(self)
    }

    pub(crate) fn places(&self) -> &Places {
        &self.0.places
    }

    pub(crate) fn program(&self) -> &Program {
        &self.0.program
    }

    pub(crate) fn data(&self) -> &Value {
        &self.0.data
    }

    pub(crate) fn engine(&self) -> Engine {
        self.0.engine.clone()
    }

    /// Whether some rule can raise an error when it is evaluated.
    pub(crate) fn can_fail(&self) -> bool {
        self.0.can_fail
    }
}
