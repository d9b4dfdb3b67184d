//! The kinds of place.

/// What kind of place a path is in.
///
/// Deliberately exhaustive: a new kind must break every table of rules that has not said what it means.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// Below the session's workspace.
    Workspace,
    /// What the distribution or an administrator installed: programs, libraries, configuration without
    /// secrets.
    System,
    /// What development tools keep for one person: packages, caches, their harmless settings.
    Toolchain,
    /// For everybody and for a while.
    Temporary,
    /// A device that holds nothing and harms nobody, such as `/dev/null` or a terminal.
    Device,
    /// What the kernel tells about processes.
    Process,
    /// Anything else below a home.
    Home,
    /// What opens other doors: keys, tokens, passwords, histories with either in them.
    Credential,
    /// What makes code run later, as somebody or somewhere else.
    Persistence,
    /// What commands the machine itself: sockets of its managers, kernel settings, raw devices.
    Control,
    /// The node's own.
    Warden,
    /// None of these, or nothing that the kernel would call a path.
    Elsewhere,
}

impl Place {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 12] = [
        Self::Workspace,
        Self::System,
        Self::Toolchain,
        Self::Temporary,
        Self::Device,
        Self::Process,
        Self::Home,
        Self::Credential,
        Self::Persistence,
        Self::Control,
        Self::Warden,
        Self::Elsewhere,
    ];

    /// Its name in policies and records, in `snake_case`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::System => "system",
            Self::Toolchain => "toolchain",
            Self::Temporary => "temporary",
            Self::Device => "device",
            Self::Process => "process",
            Self::Home => "home",
            Self::Credential => "credential",
            Self::Persistence => "persistence",
            Self::Control => "control",
            Self::Warden => "warden",
            Self::Elsewhere => "elsewhere",
        }
    }
}
