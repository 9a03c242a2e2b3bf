//! What a text holds that nobody wrote: the remains of a conversion.

/// HTML that was not turned into text: an entity such as `&amp;` or `&#39;`, one that lost its first character such as
/// `#39;`, or a tag such as `<br />` or `</p>`.
pub(super) fn has_markup(text: &str) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).any(|place| {
        let rest = &bytes[place + 1..];
        match bytes[place] {
            b'&' => is_entity(rest),
            b'#' => is_number_entity(rest),
            b'<' => is_tag(rest),
            _ => false,
        }
    })
}

/// `amp;`, `#39;`, `#x27;`.
fn is_entity(bytes: &[u8]) -> bool {
    if let [b'#', rest @ ..] = bytes {
        return is_number_entity(rest);
    }
    let name = run(bytes, u8::is_ascii_alphanumeric);
    (2..=8).contains(&name) && bytes[0].is_ascii_alphabetic() && bytes.get(name) == Some(&b';')
}

/// `39;`, `x27;`.
fn is_number_entity(bytes: &[u8]) -> bool {
    let (digits, rest) = match bytes {
        [b'x' | b'X', rest @ ..] => (run(rest, u8::is_ascii_hexdigit), rest),
        _ => (run(bytes, u8::is_ascii_digit), bytes),
    };
    (2..=6).contains(&digits) && rest.get(digits) == Some(&b';')
}

/// `br />`, `/p>`, `a href=…>`: a name that HTML has, and an end.
fn is_tag(bytes: &[u8]) -> bool {
    const NAMES: [&str; 12] = [
        "a", "b", "br", "div", "em", "font", "i", "img", "li", "p", "span", "strong",
    ];
    let bytes = bytes.strip_prefix(b"/").unwrap_or(bytes);
    let name = run(bytes, u8::is_ascii_alphanumeric);
    let is_known = NAMES
        .iter()
        .any(|known| bytes[..name].eq_ignore_ascii_case(known.as_bytes()));
    // Not `a < b and c > d`: the name follows the bracket at once, and something follows the name that ends it.
    is_known && matches!(bytes.get(name), Some(b'>' | b'/' | b' ')) && bytes[name..].contains(&b'>')
}

fn run(bytes: &[u8], belongs: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| belongs(byte)).count()
}

/// UTF-8 that was read as Latin-1 or Windows-1252 and written again: `Ã©` for `é`, `â€™` for `’`.
pub(super) fn is_garbled(text: &str) -> bool {
    let mut before = '\0';
    text.chars().any(|character| {
        let garbled = match before {
            'Ã' | 'Â' => ('\u{80}'..='\u{BF}').contains(&character),
            'â' => character == '€',
            _ => false,
        };
        before = character;
        garbled
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remains_of_html_are_known_from_text() {
        for text in [
            "a &amp; b",
            "it&#39;s",
            "it&#x27;s",
            "it #39;s",
            "&lt;#&gt;",
            "a<br />b",
            "</P>",
            "see <a href=\"x\">y</a>",
        ] {
            assert!(has_markup(text), "{text}");
        }
        for text in [
            "",
            "&",
            "#",
            "<",
            "AT&T; fine",
            "R&D",
            "a & b; c",
            "#1; #2",
            "item #39",
            "1 < b and c > d",
            "<3 you",
            "a <b",
            "&toolongtobeone;",
            "<brown>",
        ] {
            assert!(!has_markup(text), "{text}");
        }
    }

    #[test]
    fn garbled_letters_are_known_from_letters() {
        for text in ["cafÃ©", "donâ€™t", "10 Â£"] {
            assert!(is_garbled(text), "{text}");
        }
        for text in [
            "",
            "café",
            "Ãngela",
            "â",
            "don’t",
            "IRMÃ£S".trim_end_matches("£S"),
        ] {
            assert!(!is_garbled(text), "{text}");
        }
    }
}
