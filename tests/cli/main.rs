//! The command line: the built program, started as people start it.

mod audit_cli;
mod command_line;
mod decode_cli;
mod devices_cli;
mod memory_flags;
mod people_cli;
mod replay_cli;
mod store_cli;
mod vendor_cli;
