//! The command line for IT and biomed staff.

fn main() {}
