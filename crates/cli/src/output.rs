//! The one printer: what goes to stdout, what to stderr, in colour or not, for a person or a program.
//!
//! Results go to stdout, everything else to stderr, so that `regard … > file` holds results alone.
//! Colours are for terminals, unless `NO_COLOR` is set.

use std::cell::RefCell;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::args::{ReportFormat, Verbosity};

/// The time between two lines of progress where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// Decides where everything goes that the program says.
pub struct Printer {
    verbosity: Verbosity,
    is_terminal: bool,
    out: RefCell<Box<dyn Write>>,
    err: RefCell<Box<dyn Write>>,
    bar: RefCell<Option<ProgressBar>>,
}

impl Printer {
    /// A printer on the program's own streams.
    pub fn new(verbosity: Verbosity) -> Self {
        Self {
            verbosity,
            is_terminal: io::stderr().is_terminal(),
            // As it comes: results have no colours, and an escape sequence in somebody's data stays.
            out: RefCell::new(Box::new(io::stdout())),
            err: RefCell::new(Box::new(AutoStream::auto(io::stderr()))),
            bar: RefCell::new(None),
        }
    }

    /// Prints a report: `human` for people, `value` for programs.
    pub fn report(
        &self,
        format: ReportFormat,
        value: &impl Serialize,
        human: impl Display,
    ) -> anyhow::Result<()> {
        match format {
            ReportFormat::Json => {
                let json = serde_json::to_string(value)?;
                self.result(&format!("{json}\n"))
            }
            ReportFormat::Human => self.result(&human.to_string()),
        }
    }

    /// Prints a result as it is; a text ends with its own line feed.
    pub fn result(&self, text: &str) -> anyhow::Result<()> {
        let mut results = self.results();
        let written = results.write_all(text.as_bytes());
        written
            .and_then(|()| results.flush())
            .context("cannot write the output")
    }

    /// A stream for results that come one by one.
    pub fn results(&self) -> Results<'_> {
        Results(self)
    }

    /// Says something that a person may want to know.
    pub fn note(&self, text: impl Display) {
        if !self.verbosity.quiet {
            self.say(&format!("{text}"));
        }
    }

    /// Says something for those who asked for more with `-v`.
    pub fn detail(&self, text: impl Display) {
        if self.verbosity.verbose > 0 {
            self.say(&format!("{text}"));
        }
    }

    /// Warns.
    pub fn warning(&self, text: impl Display) {
        self.labelled(YELLOW, "warning", &text);
    }

    /// Names an error.
    pub fn error(&self, text: impl Display) {
        self.labelled(RED, "error", &text);
    }

    /// Names the cause of the error before.
    pub fn cause(&self, text: impl Display) {
        self.labelled(BOLD, "caused by", &text);
    }

    /// Says how to mend the error before.
    pub fn hint(&self, text: impl Display) {
        self.labelled(CYAN, "hint", &text);
    }

    /// Begins to show progress over `total` steps of which `done` are done: a bar on a terminal, a
    /// line every few seconds elsewhere, nothing with `-q`.
    pub fn progress(&self, total: u64, done: u64) -> Progress<'_> {
        if self.is_terminal && !self.verbosity.quiet {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            bar.set_style(style("{bar:30} {pos}/{len} {msg}"));
            bar.set_position(done);
            bar.reset_eta();
            self.bar.replace(Some(bar));
        }
        Progress {
            printer: self,
            total,
            begun: done,
            knows_speed: false,
            said: Instant::now(),
        }
    }

    fn labelled(&self, style: Style, label: &str, text: &dyn Display) {
        self.say(&format!("{style}{label}:{style:#} {text}"));
    }

    fn say(&self, line: &str) {
        let write = || {
            // If stderr fails there is nowhere left to say so.
            let _ = writeln!(self.err.borrow_mut(), "{line}");
        };
        match &*self.bar.borrow() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

/// The style of a template; the default one serves if the template were ever wrong.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Progress being shown; it disappears when it is dropped.
pub struct Progress<'a> {
    printer: &'a Printer,
    total: u64,
    /// What was done before.
    begun: u64,
    /// Whether a step was made, from which the time that is left can be told.
    knows_speed: bool,
    said: Instant,
}

impl Progress<'_> {
    /// `done` steps are done, and `message` is how it goes.
    pub fn update(&mut self, done: u64, message: impl Display) {
        if let Some(bar) = &*self.printer.bar.borrow() {
            bar.set_message(message.to_string());
            bar.set_position(done);
            if !self.knows_speed && done > self.begun {
                self.knows_speed = true;
                bar.set_style(style("{bar:30} {pos}/{len} {msg} ({eta} left)"));
            }
            return;
        }
        if self.said.elapsed() >= LINE_INTERVAL {
            self.said = Instant::now();
            let total = self.total;
            self.printer
                .note(format_args!("step {done}/{total}: {message}"));
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = self.printer.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Stdout, for results that come one by one.
pub struct Results<'a>(&'a Printer);

impl Write for Results<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &*self.0.bar.borrow() {
            Some(bar) => bar.suspend(|| self.0.out.borrow_mut().write(bytes)),
            None => self.0.out.borrow_mut().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.out.borrow_mut().flush()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::rc::Rc;

    use super::*;

    /// What was written, kept for a look.
    #[derive(Clone, Default)]
    pub struct Written(Rc<RefCell<Vec<u8>>>);

    impl Written {
        pub fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A printer into memory, without colours.
    pub fn printer(verbosity: Verbosity) -> (Printer, Written, Written) {
        let (out, err) = (Written::default(), Written::default());
        let printer = Printer {
            verbosity,
            is_terminal: false,
            out: RefCell::new(Box::new(out.clone())),
            err: RefCell::new(Box::new(anstream::StripStream::new(
                Box::new(err.clone()) as Box<dyn Write>
            ))),
            bar: RefCell::new(None),
        };
        (printer, out, err)
    }

    fn talk(verbosity: Verbosity) -> (String, String) {
        let (printer, out, err) = printer(verbosity);
        printer.result("result\n").unwrap();
        printer.note("note");
        printer.detail("detail");
        printer.warning("careful");
        printer.error("broken");
        printer.cause("it fell");
        printer.hint("mend it");
        (out.text(), err.text())
    }

    #[test]
    fn results_go_to_stdout_and_everything_else_to_stderr() {
        let always = "warning: careful\nerror: broken\ncaused by: it fell\nhint: mend it\n";
        for (quiet, verbose, said) in [
            (false, 0, "note\n"),
            (true, 0, ""),
            (false, 1, "note\ndetail\n"),
        ] {
            let (out, err) = talk(Verbosity { quiet, verbose });
            assert_eq!(out, "result\n");
            assert_eq!(err, format!("{said}{always}"));
        }
    }

    #[test]
    fn a_report_is_one_json_line_or_text() {
        let (printer, out, _) = printer(Verbosity::default());
        let value = serde_json::json!({"accuracy": 0.5, "text": "a\nb"});
        printer
            .report(ReportFormat::Json, &value, "unused")
            .unwrap();
        printer
            .report(ReportFormat::Human, &value, "accuracy 0.5\n")
            .unwrap();
        assert_eq!(
            out.text(),
            "{\"accuracy\":0.5,\"text\":\"a\\nb\"}\naccuracy 0.5\n"
        );
    }

    #[test]
    fn progress_without_a_terminal_is_a_line_now_and_then() {
        let (printer, out, err) = printer(Verbosity::default());
        let mut progress = printer.progress(100, 0);
        progress.update(1, "loss 0.7");
        assert_eq!(err.text(), "");
        progress.said -= LINE_INTERVAL;
        progress.update(2, "loss 0.6");
        progress.update(3, "loss 0.5");
        assert_eq!(err.text(), "step 2/100: loss 0.6\n");
        assert_eq!(out.text(), "");
    }
}
