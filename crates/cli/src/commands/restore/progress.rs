//! How far a restore is, for whoever waits for it.

/// Bytes between one word and the next: a backup that is shorter is read in no time.
const STEP_BYTES: u64 = 256 * MEBIBYTE;
const MEBIBYTE: u64 = 1024 * 1024;

/// How much of an archive was read, and told.
pub(super) struct Progress {
    total: u64,
    told: u64,
}

impl Progress {
    /// Of an archive that is so long.
    pub(super) const fn new(total: u64) -> Self {
        Self { total, told: 0 }
    }

    /// What there is to say once so many bytes were read.
    pub(super) fn at(&mut self, bytes: u64) -> Option<String> {
        if bytes < self.told.saturating_add(STEP_BYTES) {
            return None;
        }
        self.told = bytes;
        let total = self.total.div_ceil(MEBIBYTE);
        Some(format!("read {} of {total} MiB", bytes / MEBIBYTE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_archive_is_told_of_in_steps_and_a_short_one_is_not() {
        let mut progress = Progress::new(600 * MEBIBYTE);
        let mut told: Vec<String> = Vec::new();
        for mebibytes in 0..=600 {
            told.extend(progress.at(mebibytes * MEBIBYTE));
        }
        assert_eq!(told, ["read 256 of 600 MiB", "read 512 of 600 MiB"]);
        assert_eq!(Progress::new(MEBIBYTE).at(MEBIBYTE), None);
    }
}
