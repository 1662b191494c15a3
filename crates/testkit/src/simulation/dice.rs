//! Chance, for making plans and schedules.

/// Numbers of a seed (`SplitMix64`).
#[derive(Clone, Debug)]
pub(super) struct Dice {
    state: u64,
}

impl Dice {
    /// Dice that fall as this seed says.
    #[must_use]
    pub(super) const fn of(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Any number.
    pub(super) const fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is above 0.
    #[expect(clippy::cast_possible_truncation, reason = "it is below a number of 16 bits")]
    pub(super) const fn below(&mut self, end: u16) -> u16 {
        (self.word() % end as u64) as u16
    }

    /// The same, in a byte.
    #[expect(clippy::cast_possible_truncation, reason = "it is below a number of 8 bits")]
    pub(super) const fn below_byte(&mut self, end: u8) -> u8 {
        (self.word() % end as u64) as u8
    }

    /// Whether something happens that happens so many times in a hundred.
    pub(super) const fn percent(&mut self, chance: u16) -> bool {
        self.below(100) < chance
    }

    /// One of these.
    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.below(u16::try_from(of.len()).expect("a short list")))]
    }
}
