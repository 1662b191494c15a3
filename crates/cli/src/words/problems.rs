//! What is wrong in something that a person wrote, with the lines it is about.

use api::{PlaceView, Problem};
use config::Problems;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use owo_colors::Stream;

use super::{safe, tone::has_colours};

/// Columns of a report.
const WIDTH: usize = 100;

/// Everything that is wrong, each with its line and what to do.
pub(crate) fn problems(problems: &Problems) -> String {
    let reports: Vec<String> = problems.all.iter().map(report).collect();
    reports.join("\n")
}

fn report(problem: &config::Problem) -> String {
    if problem.position.is_none() {
        let help = problem.help.as_ref().map(|it| format!("\nhelp: {it}")).unwrap_or_default();
        return safe(&format!("error: {problem}{help}"));
    }
    let plain = render(problem, GraphicalTheme::unicode_nocolor());
    let shown = safe(&plain);
    // What has to be made visible cannot be told from colours any more.
    if shown == plain && has_colours(Stream::Stderr) {
        return render(problem, GraphicalTheme::unicode());
    }
    shown
}

fn render(problem: &dyn Diagnostic, theme: GraphicalTheme) -> String {
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH);
    if handler.render_report(&mut text, problem).is_err() {
        return format!("error: {problem}\n");
    }
    text
}

/// The same for machines.
pub(crate) fn problem_views(problems: &Problems) -> Vec<Problem> {
    let view = |problem: &config::Problem| Problem {
        source: problem.source_name.clone(),
        place: problem.position.map(|it| PlaceView { line: it.line, column: it.column }),
        message: problem.message.clone(),
        help: problem.help.clone(),
    };
    problems.all.iter().map(view).collect()
}
