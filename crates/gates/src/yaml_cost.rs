//! Refuses YAML that its parser would chew on for minutes, before the parser sees it.
//!
//! The parser looks at every open bracket again for every token, and at every tag directive again for every other
//! one. It enforces its limit of depth only afterwards. So depth is bounded here from above, without parsing.

/// Bytes times depth: about a second of the parser's time. Honest files come near it at some hundred kilobytes.
const COST_MAX: usize = 4_000_000_000;
/// Tag directives: an honest file has none or one.
const TAG_DIRECTIVES_MAX: usize = 64;

/// Whether `text` can be given to the parser.
pub(crate) fn check(text: &str) -> Result<(), String> {
    if text.matches("%TAG").count() > TAG_DIRECTIVES_MAX {
        return Err(format!("it has more than {TAG_DIRECTIVES_MAX} `%TAG` directives"));
    }
    if depth_bound(text).saturating_mul(text.len()) > COST_MAX {
        return Err("its brackets are nested too deeply for its size".to_owned());
    }
    Ok(())
}

/// A number that the depth of brackets surely never exceeds. A closing bracket counts only against an opening one of
/// its own line, and only before anything on that line that could make the parser read it as text.
fn depth_bound(text: &str) -> usize {
    let mut open = 0;
    let mut peak = 0;
    for line in text.lines() {
        let mut closes = true;
        let mut depth = 0_usize;
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => depth += 1,
                b'"' | b'\'' | b'#' | b'!' => closes = false,
                b']' | b'}' if closes => depth = depth.saturating_sub(1),
                _ => {}
            }
            peak = peak.max(open + depth);
        }
        open += depth;
    }
    peak
}
