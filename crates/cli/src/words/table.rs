//! Tables on standard output.

use comfy_table::{ContentArrangement, Table, presets};
use owo_colors::Stream;

use super::tone::has_colours;

/// An empty table with these columns: as wide as the terminal where there is one, as wide as its content elsewhere.
pub(crate) fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|it| it.to_uppercase()).collect::<Vec<_>>());
    // Whether it is coloured is settled in one place, for everything that is printed.
    let width = table.width();
    table.force_no_tty();
    if let Some(width) = width {
        table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
    }
    // Columns begin where the line does.
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    if has_colours(Stream::Stdout) {
        table.enforce_styling();
    }
    table
}
