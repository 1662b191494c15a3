//! The table that is printed, Markdown, so that it can be pasted.

use std::{
    fmt,
    io::{self, Write as _},
};

use crate::samples::Samples;

/// Rows in the order in which they were measured.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

/// One figure.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) figure: String,
    pub(crate) median: f64,
    pub(crate) p99: Option<f64>,
    pub(crate) unit: &'static str,
    /// What it is to be compared with; empty where it is what others are compared with.
    pub(crate) beside: String,
}

impl Table {
    /// A figure beside something else.
    pub(crate) fn add(
        &mut self,
        figure: impl Into<String>,
        samples: &Samples,
        unit: &'static str,
        beside: impl Into<String>,
    ) {
        let (figure, median) = (figure.into(), samples.median());
        // It takes minutes until the table is there; who does not watch loses nothing.
        let _unwatched = writeln!(io::stderr(), "  {figure}: {} {unit}", number(median));
        self.0.push(Row { figure, median, p99: samples.p99(), unit, beside: beside.into() });
    }

    /// The heading of a group.
    pub(crate) fn group(&mut self, name: &str) {
        let figure = format!("**{name}**");
        self.0.push(Row { figure, median: f64::NAN, p99: None, unit: "", beside: String::new() });
    }

    /// A line that is not measured here.
    pub(crate) fn note(&mut self, figure: &str, beside: &str) {
        let (figure, beside) = (figure.to_owned(), beside.to_owned());
        self.0.push(Row { figure, median: f64::NAN, p99: None, unit: "", beside });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = ["figure", "median", "p99", "unit", "beside"].map(str::to_owned);
        let rows: Vec<[String; 5]> = self.0.iter().map(cells).collect();
        let lines = || std::iter::once(&heading).chain(&rows);
        let widths: [usize; 5] = std::array::from_fn(|column| {
            lines().map(|line| line[column].chars().count()).max().unwrap_or(0)
        });
        write_line(f, &heading, &widths)?;
        let [figure, median, p99, unit, beside] = widths.map(|width| "-".repeat(width));
        writeln!(f, "| {figure} | {median}: | {p99}: | {unit} | {beside} |")?;
        rows.iter().try_for_each(|row| write_line(f, row, &widths))
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, cells: &[String; 5], widths: &[usize; 5]) -> fmt::Result {
    let [figure, median, p99, unit, beside] = cells;
    let [w0, w1, w2, w3, w4] = widths;
    writeln!(f, "| {figure:w0$} | {median:>w1$}  | {p99:>w2$}  | {unit:w3$} | {beside:w4$} |")
}

fn cells(row: &Row) -> [String; 5] {
    let Row { figure, median, p99, unit, beside } = row;
    let p99 = p99.map(number).unwrap_or_default();
    [figure.clone(), number(*median), p99, (*unit).to_owned(), beside.clone()]
}

/// Three digits that mean something, thousands set apart.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        _ if value.is_nan() => String::new(),
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => thousands(&format!("{value:.0}")),
    }
}

fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_what_means_something() {
        let shown = [0.123_4, 12.34, 123.4, 1_234.4, 1_234_567.0, f64::NAN].map(number);
        assert_eq!(shown, ["0.12", "12.3", "123", "1,234", "1,234,567", ""]);
    }

    #[test]
    fn columns_line_up() {
        let mut table = Table::default();
        let mut samples = Samples::default();
        samples.push(1.0);
        table.add("a figure", &samples, "ms", "");
        table.group("more");
        let text = table.to_string();
        let widths: Vec<usize> = text.lines().map(str::len).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
    }
}
