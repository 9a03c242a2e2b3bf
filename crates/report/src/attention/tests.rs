//! The page as text: complete, escaped, asking for nothing.

use super::*;

/// Two layers of two heads over three tokens.
fn page(text: &str, label: &str, broken: bool) -> String {
    let even = vec![1.0 / 9.0; 9];
    let nan = vec![f32::NAN; 9];
    let head = |broken: bool| HeadMap {
        weights: if broken { &nan } else { &even },
        entropy: if broken { f64::NAN } else { 1.0986 },
        normalized_entropy: 1.0,
        distance: 0.8889,
        class_weight: 0.3333,
    };
    let layer = |layer, broken| LayerMaps {
        layer,
        heads: vec![head(broken), head(false)],
    };
    let half = text.len() / 2;
    let token = |text, place| PlacedToken {
        text,
        place,
        rollout: 1.0 / 3.0,
    };
    let word = |text, token| WeighedWord {
        text,
        tokens: token..token + 1,
        rollout: 1.0 / 3.0,
        occlusion: Some(0.25),
    };
    AttentionPage {
        name: "runs/<b>".to_owned(),
        description: "A model.".to_owned(),
        texts: vec![InspectedText {
            text,
            truncated: true,
            tokens: vec![
                token("[CLS]", 0..0),
                token(&text[..half], 0..half),
                token(&text[half..], half..text.len()),
            ],
            probabilities: vec![(label, 0.75), ("other", 0.25)],
            words: vec![word(&text[..half], 1), word(&text[half..], 2)],
            layers: vec![layer(0, false), layer(1, broken)],
            not_finite: Vec::new(),
        }],
    }
    .render()
}

#[test]
fn no_text_becomes_markup() {
    let text = "</script><script>alert(1)</script>\"'&";
    let html = page(text, "<img src=x onerror=alert(2)>", false);
    assert_eq!(
        html.matches("<script").count(),
        2,
        "the data and the script"
    );
    assert_eq!(html.matches("</script").count(), 2);
    assert!(!html.contains("<img src=x") && !html.contains("runs/<b>"));
    assert!(html.contains("\\u003c/script>"));
}

#[test]
fn a_page_needs_nothing_from_outside() {
    let html = page("call now", "spam", false);
    for outside in ["http:", "https:", "url(", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
    for (attribute, inside) in [("src=", &["\"data:"][..]), ("href=", &["\"#", "\"data:"])] {
        for (at, _) in html.match_indices(attribute) {
            let value = &html[at + attribute.len()..];
            assert!(inside.iter().any(|inside| value.starts_with(inside)));
        }
    }
}

#[test]
fn without_a_script_there_are_averages_and_the_figures_of_each_head() {
    let html = page("call now", "spam", false);
    let (_, rest) = html.split_once("<noscript>").unwrap();
    let (averages, _) = rest.split_once("</noscript>").unwrap();
    assert_eq!(averages.matches("data:image/png;base64,").count(), 3);
    assert_eq!(html.matches("<td data-layer=").count(), 4);
    assert!(html.contains("title=\"entropy 1.10 nats, 1.00 of the most; distance 0.9 tokens"));
    assert!(html.contains("<strong>spam</strong> with probability 75.0 %"));
}

#[test]
fn a_broken_head_is_named_as_such() {
    let html = page("call now", "spam", true);
    assert_eq!(html.matches("not finite</span>").count(), 1);
    assert_eq!(html.matches("\"most\":null").count(), 1);
}
