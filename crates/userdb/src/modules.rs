//! Which modules the tools ask.

use std::env;
use std::path::PathBuf;

/// The order of the shipped services.
const DEFAULT: &str = "authpwd authshadow authuserdb";

/// The modules in `-m`, else in `AUTHMODULES`, else the default, by full path: a bare name stands beside this program.
pub(crate) fn list(option: Option<&str>) -> Vec<PathBuf> {
    let variable = env::var("AUTHMODULES").ok().filter(|list| !list.trim().is_empty());
    let list = option.or(variable.as_deref()).unwrap_or(DEFAULT);
    let full = |name: &str| if name.starts_with('/') { name.into() } else { authmodule::neighbour(name) };
    list.split_ascii_whitespace().map(full).collect()
}
