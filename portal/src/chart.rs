//! Bars over time, drawn on the server.

use chrono::{DateTime, Utc};

use crate::say::{language, say};
use crate::show;

/// One step of time.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// When it begins.
    pub at: DateTime<Utc>,
    /// Calls in it.
    pub calls: i64,
    /// Of them, refused or failed (4xx and 5xx).
    pub errors: i64,
}

/// A rectangle of the drawing.
#[derive(Debug, Clone)]
pub struct Bar {
    /// A class of the style sheet.
    pub class: &'static str,
    /// Left edge.
    pub x: usize,
    /// Upper edge, from the top, in percent of the height.
    pub y: String,
    /// Height in percent.
    pub height: String,
}

/// One line of the table behind the drawing.
#[derive(Debug, Clone)]
pub struct Row {
    /// When the step begins.
    pub label: String,
    /// Calls.
    pub calls: String,
    /// Of them, refused or failed.
    pub errors: String,
}

/// A drawing and its table.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Width of the drawing's own coordinates.
    pub width: usize,
    /// Width of a bar.
    pub bar_width: usize,
    /// What is drawn.
    pub bars: Vec<Bar>,
    /// The table; steps without calls are left out.
    pub rows: Vec<Row>,
    /// The first step.
    pub first: String,
    /// The last step.
    pub last: String,
    /// The highest bar.
    pub top: String,
    /// One sentence for those who do not see it.
    pub summary: String,
}

const SLOT: usize = 10;
const BAR: usize = 8;

impl Chart {
    /// Draws steps in order; `step_seconds` decides how they are called.
    #[must_use]
    pub fn of(steps: &[Step], step_seconds: i32) -> Self {
        let days = step_seconds >= 86_400;
        let day = |at: DateTime<Utc>| tollgate_language::short_day(language(), &at);
        let short = |at: DateTime<Utc>| if days { day(at) } else { at.format("%H:%M").to_string() };
        let long =
            |at: DateTime<Utc>| format!("{}{}", day(at), at.format(if days { " %Y" } else { ", %H:%M UTC" }));
        let top = steps.iter().map(|step| step.calls).max().unwrap_or(0);
        let percent = |calls: i64| calls as f64 * 100.0 / top.max(1) as f64;
        let mut bars = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let x = index * SLOT + (SLOT - BAR) / 2;
            // Errors stand on the ground, where a few of them under many calls can still be seen.
            let errors = percent(step.errors).max(if step.errors > 0 { 1.5 } else { 0.0 });
            let answered = percent(step.calls - step.errors).min(100.0 - errors);
            let mut stack = |class, bottom: f64, height: f64| {
                if height > 0.0 {
                    let (y, height) = (format!("{:.1}", 100.0 - bottom - height), format!("{height:.1}"));
                    bars.push(Bar { class, x, y, height });
                }
            };
            stack("error-bar", 0.0, errors);
            stack("ok-bar", errors, answered);
        }
        let label = |step: Option<&Step>| step.map_or(String::new(), |s| short(s.at));
        let (calls, errors) = steps.iter().fold((0, 0), |sum, s| (sum.0 + s.calls, sum.1 + s.errors));
        let (first, last) = (label(steps.first()), label(steps.last()));
        Self {
            width: (steps.len() * SLOT).max(SLOT),
            bar_width: BAR,
            bars,
            rows: steps
                .iter()
                .rev()
                .filter(|step| step.calls > 0)
                .map(|step| Row {
                    label: long(step.at),
                    calls: show::number(step.calls),
                    errors: show::number(step.errors),
                })
                .collect(),
            summary: say("usage-chart")
                .with("calls", show::number(calls))
                .with("first", &first)
                .with("last", &last)
                .with("errors", show::number(errors))
                .into(),
            first,
            last,
            top: show::number(top),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_error_among_many_calls_is_still_drawn() {
        let at = DateTime::from_timestamp(0, 0).expect("an instant");
        let chart = Chart::of(&[Step { at, calls: 10_000, errors: 1 }, Step { at, calls: 0, errors: 0 }], 60);
        assert_eq!(chart.bars.len(), 2);
        assert_eq!((chart.bars[0].class, chart.bars[0].height.as_str()), ("error-bar", "1.5"));
        assert_eq!((chart.bars[1].y.as_str(), chart.bars[1].height.as_str()), ("0.0", "98.5"));
        assert_eq!(chart.rows.len(), 1);
        assert!(Chart::of(&[], 60).bars.is_empty());
    }
}
