//! An explanation for a person.

use std::fmt;

use regard_bundle::{AttentionMaps, Explanation, HeadFigures, Word};

/// Words in the table of those that matter.
const MOST_WORDS: usize = 10;
/// The widest a text or a word is shown, in characters.
const WIDEST: usize = 60;
const WIDEST_WORD: usize = 24;

/// One of a head's figures.
type Figure = fn(HeadFigures) -> f64;

/// What a person is told of a text.
pub struct Figures<'a> {
    /// The text.
    pub text: &'a str,
    /// The names of the classes.
    pub labels: &'a [String],
    /// What the model makes of it.
    pub explanation: &'a Explanation,
    /// Whether nothing stands above.
    pub is_first: bool,
}

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let explanation = self.explanation;
        if !self.is_first {
            writeln!(f)?;
        }
        let text = shown(self.text, WIDEST);
        match &explanation.prediction {
            Some(prediction) => writeln!(
                f,
                "{}  {:.4}  {text}",
                self.labels[prediction.class],
                prediction.probability()
            )?,
            None => writeln!(f, "no answer (not finite)  {text}")?,
        }
        let n_tokens = explanation.tokens.len();
        let cut = if explanation.truncated {
            "; the text is longer than that, and its end was cut off"
        } else {
            ""
        };
        writeln!(f, "  tokens  {n_tokens}{cut}")?;
        if !explanation.words.is_empty() {
            writeln!(f)?;
            self.words(f)?;
        }
        self.heads(f)?;
        if !explanation.not_finite.is_empty() {
            writeln!(f, "\n  not finite, in the order of the model")?;
            for found in &explanation.not_finite {
                writeln!(f, "  {found}")?;
            }
        }
        Ok(())
    }
}

impl Figures<'_> {
    /// The words that matter most.
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words: Vec<&Word> = self.explanation.words.iter().collect();
        let weight = |word: &Word| (word.occlusion.unwrap_or(0.0).abs(), word.rollout);
        words.sort_by(|a, b| {
            let ((a, a_rollout), (b, b_rollout)) = (weight(a), weight(b));
            b.total_cmp(&a).then(b_rollout.total_cmp(&a_rollout))
        });
        words.truncate(MOST_WORDS);
        let names: Vec<String> = words
            .iter()
            .map(|word| shown(&word.text, WIDEST_WORD))
            .collect();
        let width = widest(&names).max("word".len());
        match &self.explanation.prediction {
            Some(prediction) => writeln!(
                f,
                "  words that matter most (occlusion: how much the probability of {} falls without the word)",
                self.labels[prediction.class]
            )?,
            None => writeln!(f, "  words that matter most")?,
        }
        writeln!(f, "  {:width$}  occlusion  rollout", "word")?;
        for (word, name) in words.iter().zip(&names) {
            let occlusion = match word.occlusion {
                Some(fall) => signed(fall),
                None => "-".to_owned(),
            };
            // Padded by characters, as a terminal counts them.
            let padding = width - name.chars().count();
            writeln!(
                f,
                "  {name}{:padding$}  {occlusion:>9}  {:>7.4}",
                "", word.rollout
            )?;
        }
        Ok(())
    }

    /// Entropy and distance of each head: layers down, heads across.
    fn heads(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layers = &self.explanation.layers;
        let most = (self.explanation.tokens.len() as f64).ln();
        let tables: [(String, Figure); 3] = [
            (format!("entropy in nats, at most {most:.2}"), |head| {
                head.entropy
            }),
            ("attention distance in tokens".to_owned(), |head| {
                head.distance
            }),
            ("attention to the class token".to_owned(), |head| {
                head.class_weight
            }),
        ];
        for (title, figure) in tables {
            writeln!(f, "\n  {title}")?;
            write!(f, "  layer")?;
            let n_heads = layers.iter().map(AttentionMaps::n_heads).max().unwrap_or(0);
            for head in 0..n_heads {
                write!(f, "  {:>7}", format!("head {head}"))?;
            }
            writeln!(f)?;
            for maps in layers {
                write!(f, "  {:>5}", maps.layer())?;
                for head in 0..maps.n_heads() {
                    write!(f, "  {:>7.2}", figure(maps.figures(head)))?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

/// A change with its sign; none is no negative zero.
fn signed(value: f64) -> String {
    let text = format!("{value:+.4}");
    if text == "-0.0000" {
        return "+0.0000".to_owned();
    }
    text
}

fn widest(names: &[String]) -> usize {
    names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
}

/// The beginning of a text, without what a terminal would obey.
fn shown(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().take(most).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown.replace(char::is_control, " ")
}
