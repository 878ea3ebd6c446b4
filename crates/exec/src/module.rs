//! What a native module is.

use crate::{Call, Code};
use bytes::Bytes;
use std::{collections::BTreeMap, fmt, sync::Arc};
use yulian_types::{StateKey, proto};

/// Why a transaction failed or may not enter a block: a code of the catalogue and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Code with its texts.
    pub code: &'static Code,
    /// What exactly failed, in English, for people; may be empty.
    pub detail: String,
}

impl Failure {
    /// A failure with its detail.
    pub fn new(code: &'static Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

impl From<&'static Code> for Failure {
    fn from(code: &'static Code) -> Self {
        Self::new(code, "")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail.as_str() {
            "" => write!(f, "{}: {}", self.code.code, self.code.en),
            detail => write!(f, "{}: {} ({detail})", self.code.code, self.code.en),
        }
    }
}

impl std::error::Error for Failure {}

/// A method of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Name in a transaction.
    pub name: &'static str,
    /// The sender must have one of these roles; empty = any account.
    pub roles: &'static [&'static str],
    /// What it does and what its argument and answer messages are.
    pub doc: &'static str,
}

/// A native module: a deterministic function of the state, the block and the arguments.
pub trait Module: Send + Sync + 'static {
    /// Module id in state keys; never changes.
    fn id(&self) -> u32;

    /// Name in a transaction; never changes.
    fn name(&self) -> &'static str;

    /// All methods.
    fn methods(&self) -> &'static [Method];

    /// All codes with which methods fail, beside those of `exec`.
    fn codes(&self) -> &'static [&'static Code];

    /// Executes a method of [`Module::methods`] by its name; the executor has checked the sender's role. What was
    /// written is undone if the answer is a failure.
    fn call(&self, call: &mut Call<'_>, method: &str, arguments: &Bytes) -> Result<Bytes, Failure>;

    /// The module as it is on a chain that has only the modules whose names are wanted; `None` where that makes no difference.
    fn among(&self, wanted: &dyn Fn(&str) -> bool) -> Option<Arc<dyn Module>> {
        let _ = wanted;
        None
    }

    /// The key that a call will most likely read first, if it follows from the arguments and the account that calls. Only
    /// time depends on it: what is known before is fetched together for many transactions.
    fn expected_key(&self, method: &str, arguments: &Bytes, sender: &proto::Account) -> Option<StateKey> {
        let _ = (method, arguments, sender);
        None
    }
}

/// The modules of a program.
#[derive(Clone)]
pub struct Registry {
    modules: Arc<BTreeMap<&'static str, Arc<dyn Module>>>,
}

impl Registry {
    /// Collects modules.
    ///
    /// # Panics
    /// If two modules share a name or an id, or a module has two methods of one name: a mistake of the program.
    pub fn new(modules: Vec<Arc<dyn Module>>) -> Self {
        let mut by_name: BTreeMap<&'static str, Arc<dyn Module>> = BTreeMap::new();
        for module in modules {
            let methods = module.methods();
            let repeated = |at: usize| methods[..at].iter().any(|method| method.name == methods[at].name);
            assert!(
                !(0..methods.len()).any(repeated),
                "module {}: a method twice",
                module.name()
            );
            assert!(
                by_name.values().all(|other| other.id() != module.id()),
                "module id {} twice",
                module.id()
            );
            let name = module.name();
            assert!(by_name.insert(name, module).is_none(), "module {name} twice");
        }
        Self {
            modules: Arc::new(by_name),
        }
    }

    /// The modules, by name.
    pub fn modules(&self) -> impl Iterator<Item = &Arc<dyn Module>> {
        self.modules.values()
    }

    /// Those modules alone whose name is wanted.
    pub(crate) fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let kept = self.modules.iter().filter(|(name, _)| wanted(name));
        let among = |module: &Arc<dyn Module>| module.among(&wanted).unwrap_or_else(|| module.clone());
        Self {
            modules: Arc::new(kept.map(|(name, module)| (*name, among(module))).collect()),
        }
    }

    /// Every code that a receipt or a refusal can carry: those of `exec`, then those of each module.
    pub fn codes(&self) -> impl Iterator<Item = &'static Code> + '_ {
        crate::codes::CODES
            .iter()
            .copied()
            .chain(self.modules().flat_map(|module| module.codes().iter().copied()))
    }

    pub(crate) fn find(&self, module: &str, method: &str) -> Result<(&Arc<dyn Module>, &'static Method), Failure> {
        let found = self
            .modules
            .get(module)
            .ok_or_else(|| Failure::new(&crate::codes::UNKNOWN_MODULE, module))?;
        let unknown = || Failure::new(&crate::codes::UNKNOWN_METHOD, format!("{module}.{method}"));
        let method = found
            .methods()
            .iter()
            .find(|candidate| candidate.name == method)
            .ok_or_else(unknown)?;
        Ok((found, method))
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.modules.keys()).finish()
    }
}
