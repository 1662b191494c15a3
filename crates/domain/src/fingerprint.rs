//! A short stand-in for words: equal where they are equal, and as good as never where they are not.

/// Tells whether two texts are the same without keeping them. Not fit against somebody who wants two texts to collide:
/// whoever does that only hides from the supervision that is meant to save their budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(u64);

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

impl Fingerprint {
    /// The fingerprint of several texts, each for itself: `a`, `bc` is not `ab`, `c`.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let mut hash = OFFSET;
        let mut add = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
            }
        };
        for part in parts {
            add(&(part.len() as u64).to_le_bytes());
            add(part.as_bytes());
        }
        Self(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_differ_in_where_one_ends_as_well() {
        assert_eq!(Fingerprint::of(&["read", "a"]), Fingerprint::of(&["read", "a"]));
        assert_ne!(Fingerprint::of(&["read", "a"]), Fingerprint::of(&["reada"]));
        assert_ne!(Fingerprint::of(&["a", "bc"]), Fingerprint::of(&["ab", "c"]));
        assert_ne!(Fingerprint::of(&[]), Fingerprint::of(&[""]));
    }
}
