//! PATH is not the working directory.
