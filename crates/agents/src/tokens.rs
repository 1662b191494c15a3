//! Whether an agent's count of its tokens can be true.

use domain::usage::Usage;

/// More than any run uses, whichever way they are counted: a window of a million tokens, read a thousand times over.
const TOKENS_MAX: u64 = 1_000_000_000;
/// More dollars than any run costs.
const COST_USD_MAX: f64 = 100_000.0;

/// The new total of a run where it can be one, else the one before: counts do not fall, and have their limits. A cost
/// that cannot be is left out.
pub(crate) fn believed(before: Usage, new: Usage) -> Usage {
    let Usage {
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_creation_tokens,
        cost_usd: _,
    } = new;
    let falls = input_tokens < before.input_tokens
        || output_tokens < before.output_tokens
        || cache_read_tokens < before.cache_read_tokens
        || cache_creation_tokens < before.cache_creation_tokens;
    if falls { before } else { believed_at_end(before, new) }
}

/// The same for the count at the end of a run, which stands in the place of what was added up on the way, and may be less.
pub(crate) fn believed_at_end(before: Usage, new: Usage) -> Usage {
    let is_cost = |cost: &f64| (0.0..=COST_USD_MAX).contains(cost);
    let cost_usd = new.cost_usd.filter(is_cost).or(before.cost_usd);
    let tokens = if is_possible(&new) { new } else { before };
    Usage { cost_usd, ..tokens }
}

/// Whether a run can have used so many.
pub(crate) const fn is_possible(usage: &Usage) -> bool {
    usage.tokens() <= TOKENS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input_tokens: u64, output_tokens: u64) -> Usage {
        Usage { input_tokens, output_tokens, ..Usage::default() }
    }

    #[test]
    fn a_count_that_falls_or_that_nobody_can_have_used_is_not_believed() {
        let before = usage(10, 5);
        for (new, believed_in) in [
            (usage(11, 5), usage(11, 5)),
            (usage(9, 50), before),
            (usage(10, 4), before),
            (usage(u64::MAX, u64::MAX), before),
            (usage(TOKENS_MAX, 6), before),
            (usage(TOKENS_MAX - 6, 6), usage(TOKENS_MAX - 6, 6)),
        ] {
            assert_eq!(believed(before, new), believed_in, "{new:?}");
        }
        let less = usage(9, 50);
        assert_eq!(believed_at_end(before, less), less);
        assert_eq!(believed_at_end(before, usage(u64::MAX, 0)), before);
        for cost in [-1.0, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(believed(before, Usage { cost_usd: Some(cost), ..before }), before);
        }
    }
}
