//! One parser for endpoints: what is compared, shown and asked is the same.
