//! No file but a sealed record names a command, a path or a URL that is used.
