//! What comes in is bounded, one by one and in sum.
