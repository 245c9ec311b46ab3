//! `wardkeepctl man`: the manual pages of both programs, from the definitions that parse their words.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;
use serde_json::json;

use crate::ctl::kiosk_args::KioskCli;
use crate::ctl::{Cli, terminal};

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl man --out /usr/share/man/man1
  wardkeepctl man --out /tmp/pages && man /tmp/pages/wardkeepctl-store-backup.1";

/// Where the pages go.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ManPages {
    /// Directory for the pages; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl ManPages {
    /// Writes a page for each program and each verb. Exit code 0 when all are written, 1 when not.
    pub fn run(&self) -> ExitCode {
        match self.write() {
            Ok(pages) => terminal::print(&format!("{}\n", json!({ "pages": pages }))),
            Err(error) => {
                let out = self.out.display();
                terminal::complain(&format!("The pages cannot be written to {out}: {error}."));
                ExitCode::FAILURE
            }
        }
    }

    fn write(&self) -> io::Result<Vec<String>> {
        fs::create_dir_all(&self.out)?;
        let mut pages = Vec::new();
        for program in [KioskCli::command(), Cli::command()] {
            // The verb `help` has no page: the pages are the help.
            let mut program = without_help(program);
            // Names each verb by its whole path.
            program.build();
            write_pages(&program, &self.out, &mut pages)?;
        }
        Ok(pages)
    }
}

fn without_help(command: Command) -> Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}

/// Writes the page of this command and those of its verbs.
fn write_pages(command: &Command, out: &Path, pages: &mut Vec<String>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let file = format!("{name}.1");
    fs::write(out.join(&file), page(command)?)?;
    pages.push(file);
    for verb in command.get_subcommands() {
        write_pages(verb, out, pages)?;
    }
    Ok(())
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(lines) = command.get_after_help() {
        page.extend_from_slice(examples(&lines.to_string()).as_bytes());
    }
    Ok(page)
}

/// The lines below the help as a section whose lines stay lines, which the generator's own do not.
fn examples(lines: &str) -> String {
    let body = lines.strip_prefix("Examples:\n").unwrap_or(lines);
    let escaped = body.replace('\\', "\\e").replace('-', "\\-");
    // A line that begins with a dot or an apostrophe would be taken for a request.
    let lines: String = escaped.lines().map(|line| format!("\\&{line}\n")).collect();
    format!(".SH EXAMPLES\n.nf\n{lines}.fi\n")
}
