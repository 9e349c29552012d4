//! Who is asking, and what they may do: passwords, tokens, callers, and the words of the policies.

pub mod actor;
pub mod caller;
pub mod passwords;
pub mod policy;
pub mod tokens;
