//! `artifacts`: the named files exist, are not empty, and are well-formed for their kind.

use std::collections::BTreeSet;

use camino::Utf8Path;
use domain::{path_rules, verdict::Finding};
use serde_json::Value;

use crate::{
    commit::{Commit, Entry},
    data, findings, front_matter,
    front_matter::Split,
    limits::{FILES_MAX, FINDINGS_BYTES_MAX},
    obstacle::Obstacle,
    ruling::Ruling,
};

/// Judges the files that match the globs: each of `all_of` must match, and one of `any_of`. Every file that matches
/// is looked at.
pub(crate) async fn judge(
    commit: &Commit<'_>,
    all_of: &[String],
    any_of: &[String],
) -> Result<Ruling, Obstacle> {
    let files = commit.list().await?;
    let mut wanted = BTreeSet::new();
    let mut found = Vec::new();
    for pattern in all_of {
        if !take_matches(pattern, &files, &mut wanted)? {
            found.push(Finding::blocking(format!("`{pattern}` is missing")).at(pattern));
        }
    }
    let mut any = any_of.is_empty();
    for pattern in any_of {
        any |= take_matches(pattern, &files, &mut wanted)?;
    }
    if !any {
        found
            .push(Finding::blocking(format!("one of these is missing: `{}`", any_of.join("`, `"))));
    }
    if wanted.len() > FILES_MAX {
        let message = format!("{} files match, at most {FILES_MAX} can be checked", wanted.len());
        found.push(Finding::blocking(message));
    }
    for path in wanted.iter().take(FILES_MAX) {
        if let Some(defect) = find_defect(commit, path).await? {
            found.push(Finding::blocking(format!("`{path}` {defect}")).at(*path));
        }
    }
    if found.is_empty() {
        let summary = match wanted.len() {
            1 => "the file is there and well-formed".to_owned(),
            count => format!("{count} files are there and well-formed"),
        };
        return Ok(Ruling::pass(summary));
    }
    let summary = if found.len() == 1 {
        found[0].message.clone()
    } else {
        format!("{} artifacts are missing or broken", found.len())
    };
    Ok(Ruling::fail(summary, findings::fit(found, FINDINGS_BYTES_MAX, "this commit")))
}

/// Adds the files that match `pattern`; whether there are any.
fn take_matches<'a>(
    pattern: &str,
    files: &'a [String],
    wanted: &mut BTreeSet<&'a str>,
) -> Result<bool, Obstacle> {
    let glob = path_rules::compile(pattern)?;
    let mut any = false;
    for path in files.iter().filter(|path| glob.is_match(path)) {
        wanted.insert(path);
        any = true;
    }
    Ok(any)
}

async fn find_defect(commit: &Commit<'_>, path: &str) -> Result<Option<String>, Obstacle> {
    let (content, cut) = match commit.load_listed(path).await? {
        Entry::File { content, cut } => (content, cut),
        Entry::NotAFile | Entry::Missing => return Ok(Some("is not a regular file".to_owned())),
    };
    if content.iter().all(u8::is_ascii_whitespace) {
        return Ok(Some("is empty".to_owned()));
    }
    let parse: fn(&str) -> Result<(), String> =
        match Utf8Path::new(path).extension().map(str::to_ascii_lowercase).as_deref() {
            Some("yaml" | "yml") => check_yaml,
            Some("json") => |text| {
                data::parse_json(text)
                    .map(|_| ())
                    .map_err(|reason| format!("is not JSON: {reason}"))
            },
            Some("md" | "markdown") => check_markdown,
            _ => return Ok(None),
        };
    if cut {
        return Ok(Some("is larger than 1 MiB".to_owned()));
    }
    let Ok(text) = String::from_utf8(content) else {
        return Ok(Some("is not UTF-8 text".to_owned()));
    };
    // Parsing takes its time, and a parser that goes down must not take the gate with it.
    let parsed =
        tokio::task::spawn_blocking(move || parse(text.trim_start_matches('\u{feff}'))).await;
    Ok(parsed.map_err(|source| Obstacle::Parser { path: path.to_owned(), source })?.err())
}

fn check_yaml(text: &str) -> Result<(), String> {
    let documents = data::parse_yaml(text).map_err(|reason| format!("is not YAML: {reason}"))?;
    if documents.iter().all(Value::is_null) {
        Err("is empty but for comments".to_owned())
    } else {
        Ok(())
    }
}

fn check_markdown(text: &str) -> Result<(), String> {
    match front_matter::split(text) {
        Split::Without => Ok(()),
        Split::Open | Split::With { .. } => {
            front_matter::parse(text).map(|_| ()).map_err(|error| error.to_string())
        }
    }
}
