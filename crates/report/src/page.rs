//! The shell of every page: one style, light and dark, narrow and wide, nothing from outside.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::chart;

/// The style of every page.
const STYLE: &str = include_str!("style.css");

/// One HTML file.
#[derive(Clone, Debug)]
#[must_use]
pub struct Page {
    title: String,
    kicker: String,
    lead: Markup,
    sections: Vec<Section>,
    footer: Markup,
    style: String,
    script: String,
}

/// A part of a [`Page`] under a heading of its own.
#[derive(Clone, Debug)]
pub struct Section {
    id: String,
    heading: String,
    body: Markup,
    in_contents: bool,
}

impl Section {
    /// A section. `id` is its address in the page: letters, digits and hyphens.
    #[must_use]
    pub fn new(id: impl Into<String>, heading: impl Into<String>, body: Markup) -> Self {
        Self {
            id: id.into(),
            heading: heading.into(),
            body,
            in_contents: true,
        }
    }

    /// A section that the contents at the top do not name.
    #[must_use]
    pub fn without_entry(mut self) -> Self {
        self.in_contents = false;
        self
    }
}

impl Page {
    /// A page with a title and nothing else.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            kicker: String::new(),
            lead: Markup::default(),
            sections: Vec::new(),
            footer: Markup::default(),
            style: String::new(),
            script: String::new(),
        }
    }

    /// With a line in small letters over the title: what kind of page this is.
    pub fn with_kicker(mut self, kicker: impl Into<String>) -> Self {
        self.kicker = kicker.into();
        self
    }

    /// With what stands under the title, before the contents.
    pub fn with_lead(mut self, lead: Markup) -> Self {
        self.lead = lead;
        self
    }

    /// With one more section at the end.
    pub fn with_section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// With small print at the end.
    pub fn with_footer(mut self, footer: Markup) -> Self {
        self.footer = footer;
        self
    }

    /// With rules of CSS beside the common ones. They are written as they stand: never pass data.
    pub fn with_style(mut self, css: &'static str) -> Self {
        self.style.push_str(css);
        self
    }

    /// With a script of its own, which runs when the page is read. It is written as it stands: never
    /// pass data; let it read them from the page.
    pub fn with_script(mut self, script: &'static str) -> Self {
        self.script.push_str(script);
        self
    }

    /// The file.
    #[must_use]
    pub fn render(&self) -> String {
        let entries: Vec<&Section> = self.sections.iter().filter(|s| s.in_contents).collect();
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    // Browsers ask the server for an icon otherwise: a request to outside.
                    link rel="icon" href="data:,";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) (PreEscaped(chart::style())) (PreEscaped(&self.style)) }
                }
                body {
                    main {
                        header {
                            @if !self.kicker.is_empty() { p.kicker { (self.kicker) } }
                            h1 { (self.title) }
                            (self.lead)
                        }
                        @if entries.len() > 2 {
                            nav aria-label="Contents" {
                                @for section in entries {
                                    a href={ "#" (section.id) } { (section.heading) }
                                }
                            }
                        }
                        @for section in &self.sections {
                            section id=(section.id) aria-labelledby={ (section.id) "-heading" } {
                                h2 id={ (section.id) "-heading" } { (section.heading) }
                                (section.body)
                            }
                        }
                        footer { (self.footer) }
                    }
                    @if !self.script.is_empty() { script { (PreEscaped(&self.script)) } }
                }
            }
        }
        .into_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_asks_for_nothing_and_runs_nothing() {
        let html = Page::new("<script>alert(1)</script>")
            .with_section(Section::new("a", "<b>", html! { "text" }))
            .render();
        assert!(!html.contains("<script"), "{html}");
        assert!(!html.contains("<b>"), "{html}");
        assert!(!html.contains("http"), "{html}");
        assert!(!html.contains("url("), "{html}");
        assert!(!html.contains("@import"), "{html}");
    }
}
