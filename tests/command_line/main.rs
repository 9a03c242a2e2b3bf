//! Whole runs of the program, as a person or a script would make them.

mod check;
mod config_show;
mod durability;
mod eval;
mod folders;
mod hostile_files;
mod inspect;
mod large_data;
mod latency;
mod listings;
mod odd_data;
mod pipes;
mod predict;
mod privacy;
mod private;
mod refusals;
mod repeatable;
mod report;
mod runs;
mod shell;
mod signals;
mod support;
mod tensorboard;
mod train;
mod tune;
mod verify;
