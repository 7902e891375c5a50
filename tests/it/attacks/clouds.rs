//! A secret belongs to the cloud that it was entered for.
