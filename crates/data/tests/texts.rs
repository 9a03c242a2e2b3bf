//! Labelled texts, their fingerprint, and splits of them.

mod common;

use common::source;
use proptest::prelude::*;
use regard_data::{
    Examples, Format, LabelledTexts, Labels, Records, Source, Subset, TextColumns, stratified,
};

fn load(format: Format, text: &str, labels: Option<&Labels>) -> LabelledTexts {
    let records =
        Records::from_reader(std::io::Cursor::new(text.to_owned()), &source(format)).unwrap();
    LabelledTexts::from_records(records, &TextColumns::new("text", "label"), labels).unwrap()
}

#[test]
fn texts_and_labels_are_where_their_rows_were() {
    let texts = load(
        Format::Csv,
        "label,id,text\n10,1,a\n9,2,\"b\nc\"\n10,3,\n",
        None,
    );
    assert_eq!(texts.labels().names(), ["9", "10"]);
    let rows: Vec<_> = (0..texts.len())
        .map(|row| (texts.text(row), texts.label(row), texts.line(row)))
        .collect();
    assert_eq!(rows, [("a", 1, 2), ("b\nc", 0, 3), ("", 1, 5)]);
    assert_eq!(texts.label_counts(), [1, 2]);
}

#[test]
fn given_labels_keep_their_order_even_where_the_file_lacks_one() {
    let labels = Labels::new(["b", "unseen", "a"].map(str::to_owned).to_vec()).unwrap();
    let texts = load(Format::Tsv, "text\tlabel\nx\ta\ny\tb\n", Some(&labels));
    assert_eq!((texts.label(0), texts.label(1)), (2, 0));
    assert_eq!(texts.label_counts(), [1, 0, 1]);
}

#[test]
fn a_subset_is_the_rows_it_names() {
    let texts = load(Format::Csv, "label,text\na,0\nb,1\na,2\n", None);
    let subset = Subset::new(&texts, vec![2, 0]);
    assert_eq!(
        (subset.len(), subset.text(0), subset.text(1)),
        (2, "2", "0")
    );
    assert_eq!(subset.label_counts(), [2, 0]);
}

#[test]
fn the_fingerprint_is_of_what_was_read_and_not_of_how_it_was_written() {
    let csv = load(Format::Csv, "label,text\na,one\nb,two\n", None);
    let json = load(
        Format::JsonLines,
        "{\"text\": \"one\", \"label\": \"a\"}\n{\"label\": \"b\", \"text\": \"two\"}\n",
        None,
    );
    assert_eq!(csv.fingerprint(), json.fingerprint());
    // Written down: checkpoints of other machines and versions hold it.
    assert_eq!(
        csv.fingerprint().as_str(),
        "af573e9bd8cac3943b734f66410498462925e0e92743425c497c4f09ed9bbd8f"
    );
}

#[test]
fn the_fingerprint_changes_with_every_part() {
    let print =
        |text: &str, labels: Option<&Labels>| load(Format::Csv, text, labels).fingerprint().clone();
    let base = print("label,text\na,one\nb,two\n", None);
    let reversed = Labels::new(vec!["b".to_owned(), "a".to_owned()]).unwrap();
    let others = [
        print("label,text\na,one\nb,twx\n", None),
        print("label,text\nb,one\na,two\n", None),
        print("label,text\nb,two\na,one\n", None),
        print("label,text\na,onet\nb,wo\n", None),
        print("label,text\na,one\nb,two\nb,two\n", None),
        print("label,text\na,one\nb,two\n", Some(&reversed)),
    ];
    for (place, other) in others.iter().enumerate() {
        assert_ne!(other, &base, "{place}");
    }
}

#[test]
fn the_sms_data_set_loads() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../datasets/sms-spam/train.tsv"
    );
    let texts =
        LabelledTexts::load(&Source::new(path), &TextColumns::new("text", "label"), None).unwrap();
    assert_eq!(
        (texts.len(), texts.labels().names()),
        (4137, &["ham".to_owned(), "spam".to_owned()][..])
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_split_has_every_row_once_and_every_label_in_proportion(
        labels in proptest::collection::vec(0_u32..5, 20..300), share in 0.05_f64..0.95,
    ) {
        let split = stratified(&labels, share).unwrap();
        let mut all = [split.rest.clone(), split.held_out.clone()].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
        prop_assert!(split.rest.is_sorted() && split.held_out.is_sorted());
        for label in 0..5 {
            let of_label = |rows: &[usize]| rows.iter().filter(|row| labels[**row] == label).count();
            let (rest, held_out) = (of_label(&split.rest), of_label(&split.held_out));
            let wanted = (rest + held_out) as f64 * share;
            prop_assert!((held_out as f64 - wanted).abs() < 1.0, "label {label}: {held_out} for {wanted}");
            prop_assert!(rest + held_out == 0 || rest > 0);
        }
        prop_assert_eq!(stratified(&labels, share).unwrap(), split);
    }
}

#[test]
fn a_split_is_the_same_on_every_machine() {
    let labels: Vec<u32> = (0..20).map(|row| row % 2).collect();
    assert_eq!(
        stratified(&labels, 0.25).unwrap().held_out,
        [0, 2, 3, 10, 19]
    );
}

#[test]
fn a_larger_share_holds_out_what_a_smaller_one_does_and_more() {
    let labels: Vec<u32> = (0..1000).map(|row| row % 3).collect();
    let small = stratified(&labels, 0.1).unwrap().held_out;
    let large = stratified(&labels, 0.3).unwrap().held_out;
    assert!(small.iter().all(|row| large.contains(row)));
    assert_eq!((small.len(), large.len()), (100, 300));
}

#[test]
fn the_only_row_of_a_label_is_trained_on_and_another_is_held_out_in_its_place() {
    let labels = [0, 1, 2, 3, 4, 4, 4, 5, 5, 5];
    let split = stratified(&labels, 0.4).unwrap();
    assert!(split.rest.starts_with(&[0, 1, 2, 3]), "{split:?}");
    // A share of 1.2 of three rows each: one and the larger remainders, as far as rows are left to train on.
    assert_eq!(split.held_out.len(), 4);
}

#[test]
fn the_row_that_is_left_over_goes_to_the_label_that_misses_more() {
    // Shares of 2.5 and 2.75 rows, and 5 altogether.
    let labels: Vec<u32> = (0..21).map(|row| u32::from(row >= 10)).collect();
    let held_out = stratified(&labels, 0.25).unwrap().held_out;
    assert_eq!(held_out.iter().filter(|row| labels[**row] == 0).count(), 2);
    assert_eq!(held_out.len(), 5);
}

#[test]
fn rows_are_held_out_with_equal_chances_wherever_they_stand() {
    let labels: Vec<u32> = (0..9_000).map(|row| (row / 7) % 3).collect();
    let mut counts = [0_usize; 30];
    stratified(&labels, 0.2)
        .unwrap()
        .held_out
        .iter()
        .for_each(|row| counts[row / 300] += 1);
    // 60 expected, standard deviation 6.9: beyond 30 a fair draw strays once in 1,000 versions of the key.
    assert!(
        counts.iter().all(|count| count.abs_diff(60) < 30),
        "{counts:?}"
    );
}
