//! The manual page: that of the program, and a section for each of its tasks with its own examples.

use std::io::{self, Write};

use clap::Command;
use clap_mangen::Man;

/// The page of `command`, in roff.
///
/// # Errors
/// None that can happen: it is written to memory.
pub fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    let tasks = command.get_subcommands();
    let is_shown = |task: &&Command| !task.is_hide_set() && task.get_name() != "help";
    for task in tasks.filter(is_shown) {
        let man = Man::new(task.clone());
        let mut section = Vec::new();
        man.render_description_section(&mut section)?;
        if task.get_arguments().next().is_some() {
            man.render_options_section(&mut section)?;
        }
        if task
            .get_after_long_help()
            .or(task.get_after_help())
            .is_some()
        {
            man.render_extra_section(&mut section)?;
        }
        let section = String::from_utf8_lossy(&section).replace(".SH ", ".SS ");
        let name = format!("{} {}", command.get_name(), task.get_name()).to_uppercase();
        writeln!(page, ".SH \"{name}\"\n{}", section.trim_end())?;
    }
    Ok(page)
}
