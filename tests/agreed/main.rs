//! Answers agreed beforehand, written by hand from the law, that the code must give.

mod superiors;
