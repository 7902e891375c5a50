//! azt

pub mod arm;
pub mod entra;
pub mod error;
pub mod exit;
pub mod program;
pub mod secret;
pub mod sys;
