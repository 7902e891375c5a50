//! What an attacker would try, one test a finding and its variants, written as they would do it.
//!
//! The attacker is another user of the machine, a hostile server, or whoever wrote the files that are
//! read: each file here is one of the rules that turn them away (SECURITY.md).

mod bounds;
mod clouds;
mod endpoints;
mod files_are_data;
mod folders;
mod foreign_text;
mod key;
mod path;
mod sign_in;
