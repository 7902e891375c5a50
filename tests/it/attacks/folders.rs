//! Folders and files that others own or can write are not obeyed.
