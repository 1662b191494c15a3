//! A review or report: fields for the machine, words for people and the next agent.

use domain::verdict::{Finding, Severity};
use serde_json::{Map, Value};

use crate::{
    commit::{Commit, Entry},
    data, findings, front_matter,
    limits::FINDINGS_BYTES_MAX,
    obstacle::Obstacle,
    review,
    ruling::Ruling,
};

/// A document of a commit, taken apart.
#[derive(Debug)]
pub(crate) struct Document {
    path: String,
    /// Front matter, or the object of a JSON file; the error says what is wrong with the file.
    fields: Result<Map<String, Value>, String>,
    /// Everything after the front matter.
    body: String,
}

impl Document {
    /// Reads the document at `path`; the ruling says why there is none.
    pub(crate) async fn load(
        commit: &Commit<'_>,
        path: &str,
    ) -> Result<Result<Self, Ruling>, Obstacle> {
        let content = match commit.load(path).await? {
            Entry::File { content, cut: false } => content,
            Entry::File { cut: true, .. } => {
                return Ok(Err(unreadable(path, "is larger than 1 MiB")));
            }
            Entry::NotAFile => return Ok(Err(unreadable(path, "is not a regular file"))),
            Entry::Missing => return Ok(Err(unreadable(path, "does not exist"))),
        };
        let Ok(text) = String::from_utf8(content) else {
            return Ok(Err(unreadable(path, "is not UTF-8 text")));
        };
        let parsed = tokio::task::spawn_blocking({
            let path = path.to_owned();
            move || Self::parse(path, &text)
        });
        let document =
            parsed.await.map_err(|source| Obstacle::Parser { path: path.to_owned(), source })?;
        Ok(Ok(document))
    }

    fn parse(path: String, text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        if std::path::Path::new(&path).extension().is_some_and(|it| it.eq_ignore_ascii_case("json"))
        {
            let fields = match data::parse_json(text) {
                Ok(Value::Object(fields)) => Ok(fields),
                Ok(_) => Err("is not a JSON object".to_owned()),
                Err(reason) => Err(format!("is not JSON: {reason}")),
            };
            return Self { path, fields, body: text.to_owned() };
        }
        match front_matter::parse(text) {
            Ok((fields, body)) => Self { path, fields: Ok(fields), body: body.to_owned() },
            Err(error) => Self { path, fields: Err(error.to_string()), body: text.to_owned() },
        }
    }

    /// The word in the field `name`; the error says what the file has instead.
    pub(crate) fn word(&self, name: &str) -> Result<&str, String> {
        match self.fields.as_ref().map(|fields| fields.get(name)) {
            Ok(Some(Value::String(word))) if !word.trim().is_empty() => Ok(word.trim()),
            Ok(Some(Value::String(_) | Value::Null) | None) => Err(format!("has no `{name}`")),
            Ok(Some(_)) => Err(format!("has a `{name}` that is not a word")),
            Err(reason) => Err(reason.clone()),
        }
    }

    /// A failure that carries the author's findings: those listed in the field `list`, else those marked in the text,
    /// else the text itself. At least one of them blocks. `broken` says what is wrong with the document itself.
    pub(crate) fn into_failure(
        self,
        list: &str,
        broken: Option<String>,
        summary: String,
    ) -> Ruling {
        let Self { path, fields, body } = self;
        let mut found = findings::listed(fields.as_ref().ok().and_then(|fields| fields.get(list)));
        if found.is_empty() {
            found = review::marked(&body);
        }
        if found.iter().all(|finding| finding.severity == Severity::Advisory) {
            found.extend(
                (!body.trim().is_empty()).then(|| Finding::blocking(body.trim()).at(&path)),
            );
        }
        let broken = broken.map(|reason| Finding::blocking(reason).at(&path));
        found.splice(0..0, broken);
        if found.iter().all(|finding| finding.severity == Severity::Advisory) {
            found.push(Finding::blocking(format!("`{path}` does not say what to mend")).at(&path));
        }
        Ruling::fail(summary, findings::fit(found, FINDINGS_BYTES_MAX, &format!("`{path}`")))
    }

    /// What the author listed in the field `list` of a document that passes: worth knowing, stops nothing.
    pub(crate) fn into_advice(self, list: &str) -> Vec<Finding> {
        let found = findings::listed(self.fields.as_ref().ok().and_then(|fields| fields.get(list)));
        let advice = found
            .into_iter()
            .map(|finding| Finding { severity: Severity::Advisory, ..finding })
            .collect();
        findings::fit(advice, FINDINGS_BYTES_MAX, &format!("`{}`", self.path))
    }
}

fn unreadable(path: &str, what: &str) -> Ruling {
    let reason = format!("`{path}` {what}");
    Ruling::fail(reason.clone(), vec![Finding::blocking(reason).at(path)])
}
