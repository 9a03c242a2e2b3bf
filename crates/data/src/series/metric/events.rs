//! Events: stretches of anomalous points, and how soon they are noticed.

use std::ops::Range;

use serde::Serialize;

/// Points that follow each other and are all anomalous.
#[must_use]
pub fn events(is_anomalous: &[bool]) -> Vec<Range<usize>> {
    let mut events: Vec<Range<usize>> = Vec::new();
    for (point, _) in is_anomalous.iter().enumerate().filter(|(_, is)| **is) {
        match events.last_mut() {
            Some(event) if event.end == point => event.end += 1,
            _ => events.push(point..point + 1),
        }
    }
    events
}

/// What a threshold finds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Detection {
    /// The events.
    pub n_events: usize,
    /// The events with an alarm in them.
    pub n_detected: usize,
    /// Found events over events; NaN without events.
    pub event_recall: f64,
    /// The mean number of points from an event's first to the first alarm in it, over the events that were found; NaN if
    /// none was.
    pub mean_delay: f64,
    /// Points above the threshold.
    pub n_alarms: usize,
    /// Alarms outside of all events.
    pub n_false_alarms: usize,
}

/// Alarms are the points whose score is above the threshold.
///
/// Points are never adjusted: one alarm in an event does not make the event's other points right.
///
/// # Panics
/// If the lengths differ.
#[must_use]
pub fn detection(scores: &[f32], is_anomalous: &[bool], threshold: f32) -> Detection {
    assert_eq!(scores.len(), is_anomalous.len(), "one flag a score");
    let events = events(is_anomalous);
    let is_alarm = |point: &usize| scores[*point] > threshold;
    let delays: Vec<usize> = events
        .iter()
        .filter_map(|event| {
            event
                .clone()
                .find(is_alarm)
                .map(|alarm| alarm - event.start)
        })
        .collect();
    let alarms = || (0..scores.len()).filter(is_alarm);
    Detection {
        n_events: events.len(),
        n_detected: delays.len(),
        event_recall: delays.len() as f64 / events.len() as f64,
        mean_delay: delays.iter().sum::<usize>() as f64 / delays.len() as f64,
        n_alarms: alarms().count(),
        n_false_alarms: alarms().filter(|point| !is_anomalous[*point]).count(),
    }
}

/// The mean of each point and its neighbours in a window of `width` points: `width / 2` before it and the others from it
/// on, fewer at both ends. It looks ahead: what it smooths is judged afterwards, not as it comes in.
///
/// # Panics
/// If `width` is 0.
#[must_use]
pub fn smooth(scores: &[f32], width: usize) -> Vec<f32> {
    assert!(width > 0, "a window has points");
    let (before, behind) = (width / 2, width - width / 2);
    // Sums up to each point: the window's is a difference, whatever its width.
    let mut sums = vec![0.0_f64; scores.len() + 1];
    for (point, score) in scores.iter().enumerate() {
        sums[point + 1] = sums[point] + f64::from(*score);
    }
    (0..scores.len())
        .map(|point| {
            let window = point.saturating_sub(before)..(point + behind).min(scores.len());
            ((sums[window.end] - sums[window.start]) / window.len() as f64) as f32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_found_by_its_first_alarm_and_no_point_is_adjusted() {
        let flags = [false, true, true, true, false, true, false];
        assert_eq!(events(&flags), [1..4, 5..6]);
        let found = detection(&[0.0, 0.0, 0.0, 0.9, 0.9, 0.5, 0.9], &flags, 0.5);
        assert_eq!((found.n_events, found.n_detected), (2, 1));
        assert_eq!((found.event_recall, found.mean_delay), (0.5, 2.0));
        assert_eq!((found.n_alarms, found.n_false_alarms), (3, 2));
    }

    #[test]
    fn a_point_is_smoothed_over_what_there_is() {
        assert_eq!(smooth(&[1.0, 2.0, 3.0, 4.0], 2), [1.0, 1.5, 2.5, 3.5]);
        assert_eq!(smooth(&[1.0, 2.0, 3.0], 1), [1.0, 2.0, 3.0]);
        assert_eq!(smooth(&[1.0, 2.0, 6.0], 3), [1.5, 3.0, 4.0]);
    }
}
