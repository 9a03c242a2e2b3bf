//! `regard inspect`.

mod figures;
mod json;
mod page;

use anyhow::Context;
use regard_bundle::Bundle;

use crate::args::InspectArgs;
use crate::device::Compute;
use crate::output::Printer;

/// Shows what a model attends to, what its answers hang on, and where its numbers break.
pub fn run(args: &InspectArgs, printer: &Printer) -> anyhow::Result<()> {
    let compute = Compute::open(&args.compute)?;
    let bundle = Bundle::load(&args.run, &compute.device)?;
    let info = bundle.info().clone();
    let classifier = bundle.into_text_classifier()?.with_workers(compute.workers);
    let mut texts = Vec::with_capacity(args.text.len());
    for (index, text) in args.text.iter().enumerate() {
        let explanation = classifier.explain(text)?;
        if let Some(first) = explanation.not_finite.first() {
            printer.warning(format_args!("the model's numbers break in {first}"));
        }
        let figures = figures::Figures {
            text,
            labels: classifier.labels(),
            explanation: &explanation,
            is_first: index == 0,
        };
        let value = json::Inspection::new(text, classifier.labels(), &explanation);
        printer.report(args.report.format, &value, figures)?;
        texts.push((text.as_str(), explanation));
    }
    if let Some(file) = &args.html {
        let html = page::render(&args.run, &info, &texts);
        std::fs::write(file, html).with_context(|| format!("cannot write {}", file.display()))?;
        printer.note(format_args!("attention maps: {}", file.display()));
    }
    Ok(())
}
