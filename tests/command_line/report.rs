//! The report of a run: one page that asks for nothing and runs nothing.

use std::fmt::Write as _;

use crate::support::Sandbox;

/// Texts with markup in them, some with a wrong label so that there are mistakes.
fn hostile() -> Sandbox {
    let sandbox = Sandbox::new();
    let mut table = "id\tlabel\ttext\n".to_owned();
    for i in 0..120 {
        let (label, word) = [("<b>bad", "awful"), ("good", "lovely")][i % 2];
        let label = if i % 9 == 0 { "good" } else { label };
        let _ = writeln!(
            table,
            "t{i}\t{label}\t<script>x</script> canary & a very {word} day"
        );
    }
    sandbox.write("data.tsv", table);
    sandbox
}

fn page(sandbox: &Sandbox, run: &str) -> String {
    String::from_utf8(sandbox.read(&format!("{run}/report.html"))).unwrap()
}

/// Elements that are opened and not closed, or closed and not opened.
pub fn unbalanced(html: &str) -> Vec<String> {
    let mut open = Vec::new();
    let mut wrong = Vec::new();
    let body = html.split_once("<body>").unwrap().1.replace("</html>", "");
    for tag in body
        .split('<')
        .skip(1)
        .map(|rest| rest.split_once('>').unwrap().0)
    {
        let name = |tag: &str| tag.split(' ').next().unwrap().to_owned();
        if let Some(closed) = tag.strip_prefix('/') {
            if closed != "body" && open.pop() != Some(name(closed)) {
                wrong.push(tag.to_owned());
            }
        } else if !tag.ends_with('/') {
            open.push(name(tag));
        }
    }
    wrong.extend(open);
    wrong
}

#[test]
fn the_report_is_one_page_with_every_text_escaped() {
    let sandbox = hostile();
    sandbox.train("run", &[]).code(0);
    let html = page(&sandbox, "run");
    assert!(html.contains("&lt;script&gt;") && html.contains("canary"));
    for part in [
        "<script", "<b>", "http:", "https:", "url(", "@import", "src=",
    ] {
        assert!(!html.contains(part), "{part}");
    }
    assert_eq!(unbalanced(&html), Vec::<String>::new());
    let again = sandbox.regard(&["report", "run", "--out", "again.html"]);
    assert_eq!(again.run().code(0).stdout, "report: again.html\n");
    assert_eq!(sandbox.read("again.html"), html.as_bytes());
}

#[test]
fn without_examples_no_text_of_the_data_is_shown() {
    let sandbox = hostile();
    sandbox.train("run", &["report.examples=false"]).code(0);
    let html = page(&sandbox, "run");
    assert!(!html.contains("canary"));
    assert!(html.contains("Confusion matrix"));
}

#[test]
fn a_run_is_not_lost_with_its_report() {
    let sandbox = hostile();
    std::fs::create_dir_all(sandbox.path("run/report.html")).unwrap();
    let done = sandbox.train("run", &["train.max_steps=1"]).code(0);
    assert!(
        done.stderr
            .contains("warning: the report was not written: cannot write"),
        "{done}"
    );
    assert!(
        done.stderr.contains("`regard report run` makes it again"),
        "{done}"
    );
    sandbox
        .train("none", &["train.max_steps=1", "report.html=false"])
        .code(0);
    assert!(!sandbox.path("none/report.html").exists());
}
