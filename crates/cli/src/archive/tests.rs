//! Archives that are whole, and archives that somebody has made to hurt.

use std::{fs::File, io::Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use tempfile::TempDir;

use super::{FORMAT, Manifest, Place, Unpacked, Writer, read::ArchiveError, unpack};

fn manifest() -> Manifest {
    Manifest {
        format: FORMAT,
        version: "0.1.0".to_owned(),
        made_at: Timestamp::UNIX_EPOCH,
        schema: 1,
        pipelines: 2,
        events: 3,
        whole: true,
    }
}

fn directory() -> (TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = Utf8PathBuf::try_from(directory.path().to_owned()).expect("a path in UTF-8");
    (directory, path)
}

/// A whole archive of four files.
fn archive(dir: &Utf8Path) -> Utf8PathBuf {
    let (file, part) = (dir.join("archive"), dir.join("part"));
    std::fs::write(&part, "rows ".repeat(1000)).unwrap();
    let mut writer = Writer::begin(&file, &manifest()).unwrap();
    for place in [EVIDENCE, LONG, "gatewright.db", "mirrors/ET.bundle"] {
        writer.add(&Place::parse(place).expect(place), &part).unwrap();
    }
    writer.finish().unwrap();
    file
}

const EVIDENCE: &str = "evidence/pl_00000000000000000000000000000001/unit-tests-job_00000000000000000000000000000002.log";

/// Longer than an entry has room for.
const LONG: &str = "evidence/pl_00000000000000000000000000000001/unit-tests-of-every-single-part-job_00000000000000000000000000000002.log";

fn unpacked(file: &Utf8Path) -> Result<Unpacked, ArchiveError> {
    let (_directory, into) = directory();
    let unpacked = unpack(File::open(file).unwrap(), &into, &mut |_| {})?;
    for place in [EVIDENCE, LONG] {
        assert_eq!(std::fs::read_to_string(into.join(place)).unwrap(), "rows ".repeat(1000));
    }
    Ok(unpacked)
}

#[test]
fn what_was_put_in_comes_out() {
    let (_directory, dir) = directory();
    let Unpacked { manifest: found, mirrors } = unpacked(&archive(&dir)).unwrap();
    assert_eq!(found, manifest());
    assert_eq!(mirrors.iter().map(ToString::to_string).collect::<Vec<_>>(), ["ET"]);
}

#[test]
fn an_archive_that_was_cut_short_anywhere_or_changed_is_refused() {
    let (_directory, dir) = directory();
    let file = archive(&dir);
    let whole = std::fs::read(&file).unwrap();
    // The end mark of two empty blocks is behind the last file, and nobody needs it.
    for length in (0..whole.len() - 2048).step_by(333) {
        std::fs::write(&file, &whole[..length]).unwrap();
        assert!(unpacked(&file).is_err(), "cut at {length}");
    }
    let at = whole.windows(5).position(|bytes| bytes == b"rows ").unwrap();
    let mut changed = whole;
    changed[at] = b'R';
    std::fs::write(&file, &changed).unwrap();
    let (_unpacked, into) = directory();
    let refused = unpack(File::open(&file).unwrap(), &into, &mut |_| {});
    assert!(matches!(refused, Err(ArchiveError::Damaged { .. })), "{refused:?}");
}

/// An archive with a good manifest, and one file behind it that somebody made by hand.
fn forged(dir: &Utf8Path, path: &[u8], kind: tar::EntryType) -> Utf8PathBuf {
    let file = dir.join("forged");
    let mut tar = tar::Builder::new(File::create(&file).unwrap());
    let text = serde_json::to_vec(&manifest()).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_cksum();
    tar.append_data(&mut header, "gatewright-backup.json", text.as_slice()).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.as_mut_bytes()[..path.len()].copy_from_slice(path);
    header.set_size(u64::from(kind == tar::EntryType::Regular));
    if kind == tar::EntryType::Symlink || kind == tar::EntryType::Link {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_cksum();
    let content: &[u8] = if kind == tar::EntryType::Regular { b"x" } else { b"" };
    tar.append(&header, content).unwrap();
    tar.into_inner().unwrap().flush().unwrap();
    file
}

#[test]
fn whatever_has_no_place_in_a_backup_is_refused_and_written_nowhere() {
    use tar::EntryType as Kind;
    for (path, kind) in [
        (&b"../outside"[..], Kind::Regular),
        (b"/tmp/outside", Kind::Regular),
        (b"mirrors/../../outside", Kind::Regular),
        (b"mirrors/ET.git/hooks/post-receive", Kind::Regular),
        (b"lock", Kind::Regular),
        (b"evidence/pl_x/y-z.log", Kind::Regular),
        (b"gatewright.db-wal", Kind::Regular),
        (b"./gatewright.db", Kind::Regular),
        (b"mirrors/\xff.bundle", Kind::Regular),
        (b"gatewright.db", Kind::Symlink),
        (b"gatewright.db", Kind::Link),
        (b"gatewright.db", Kind::Char),
        (b"gatewright.db", Kind::Fifo),
        (b"gatewright.db", Kind::GNUSparse),
        (b"mirrors", Kind::Directory),
        (b"gatewright.db", Kind::XHeader),
        (b"gatewright.db", Kind::XGlobalHeader),
        (b"gatewright.db", Kind::GNULongLink),
    ] {
        let (_directory, dir) = directory();
        let into = dir.join("into");
        std::fs::create_dir(&into).unwrap();
        let file = forged(&dir, path, kind);
        let refused = unpack(File::open(&file).unwrap(), &into, &mut |_| {});
        let path = String::from_utf8_lossy(path);
        assert!(refused.is_err(), "{path} {kind:?}: {refused:?}");
        assert_eq!(into.read_dir_utf8().unwrap().count(), 0, "{path} {kind:?}");
        assert!(!dir.join("outside").exists());
    }
}

/// Whoever believes such a length before anything is checked is out of memory.
#[test]
fn a_list_or_a_name_that_is_longer_than_it_can_be_is_not_read_to_its_end() {
    for (path, kind, words) in [
        (&b"sha256sums"[..], tar::EntryType::Regular, "one of its lists is too long"),
        (b"././@LongLink", tar::EntryType::GNULongName, "one of its paths is too long"),
        (b"x", tar::EntryType::XHeader, "it is no plain file"),
    ] {
        let (_directory, dir) = directory();
        let file = forged(&dir, path, kind);
        let mut bytes = std::fs::read(&file).unwrap();
        // The second header, behind a manifest of one block, says that a terabyte follows. What does is cut off.
        let mut header = tar::Header::from_byte_slice(&bytes[1024..1536]).clone();
        header.set_size(1 << 40);
        header.set_cksum();
        bytes.splice(
            1024..,
            header.as_bytes().iter().copied().chain(std::iter::repeat_n(b'x', 1_000_000)),
        );
        std::fs::write(&file, &bytes).unwrap();
        let refused =
            unpack(File::open(&file).unwrap(), &dir.join("into"), &mut |_| {}).unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
    }
}

#[test]
fn a_newer_format_says_so_whatever_else_it_brings() {
    let (_directory, dir) = directory();
    let file = dir.join("newer");
    let mut tar = tar::Builder::new(File::create(&file).unwrap());
    let text = br#"{"format": 7, "zeal": true}"#;
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    tar.append_data(&mut header, "gatewright-backup.json", &text[..]).unwrap();
    tar.into_inner().unwrap().flush().unwrap();
    let refused = unpack(File::open(&file).unwrap(), &dir, &mut |_| {});
    assert!(matches!(refused, Err(ArchiveError::Newer { found: 7 })), "{refused:?}");
}

#[test]
fn something_else_is_no_backup() {
    let (_directory, dir) = directory();
    let file = dir.join("words");
    for words in ["", "somebody's words", &"somebody's words ".repeat(1000)] {
        std::fs::write(&file, words).unwrap();
        let refused = unpack(File::open(&file).unwrap(), &dir, &mut |_| {});
        assert!(matches!(refused, Err(ArchiveError::Foreign { .. })), "{refused:?}");
    }
}
