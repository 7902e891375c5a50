//! A sign-in is that of the person who started it.
