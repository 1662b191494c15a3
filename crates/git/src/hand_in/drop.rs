//! The throw-away repository that a hand-in is unpacked into.

use std::{
    fs::{self, File},
    io::{self, BufReader, Seek, SeekFrom},
};

use camino::{Utf8Path, Utf8PathBuf};
use domain::limits::HAND_IN_BYTES_MAX;
use ports::GitError;

use super::{
    bundle::Bundle,
    outbox::{Outbox, Trouble},
};
use crate::{
    MirrorGit,
    blocking::{blocking, io_error},
    command::Input,
    layout::{Head, NewRepository, ObjectFormat},
    mirror::Mirror,
    scratch::Scratch,
};

/// Files above this are streamed, not held in memory: a small pack can hold very large files.
const STREAMED_ABOVE: &str = "core.bigFileThreshold=16m";

/// A repository of ours that borrows the mirror's objects, gone at the end.
#[derive(Debug)]
pub(super) struct DropRepository {
    dir: Scratch,
}

/// What came of unpacking.
#[derive(Debug)]
pub(super) enum Unpacked {
    /// Every object is sound and all that they name is there.
    Whole,
    /// They are not; git's words.
    Broken(String),
}

impl DropRepository {
    /// Makes it.
    pub(super) async fn create(
        git: &MirrorGit,
        mirror: &Mirror<'_>,
        format: ObjectFormat,
    ) -> Result<Self, GitError> {
        let (drops, objects) = (git.drops_dir(), mirror.objects_dir());
        let failed = io_error("unpack a hand-in", &drops);
        blocking(move || Self::write(&drops, objects, format)).await.map_err(failed)
    }

    fn write(drops: &Utf8Path, objects: Utf8PathBuf, format: ObjectFormat) -> io::Result<Self> {
        let dir = Scratch::create(drops, "hand-in-")?;
        let git_dir = dir.path().join("git");
        NewRepository {
            git_dir,
            format,
            head: Head::Unborn,
            borrowed: Some(objects),
            author: None,
        }
        .create()?;
        Ok(Self { dir })
    }

    /// Where the repository is.
    pub(super) fn git_dir(&self) -> Utf8PathBuf {
        self.dir.path().join("git")
    }

    /// Copies the bundle out of the agent's reach and reads its head. The file stands where the pack begins.
    pub(super) fn take(&self, outbox: &Outbox) -> Result<(Bundle, File), Trouble> {
        let path = self.dir.path().join("bundle");
        let mut copy = File::create_new(&path).map_err(Trouble::Ours)?;
        outbox.copy("bundle", &mut copy, HAND_IN_BYTES_MAX)?;
        let mut file = File::open(&path).map_err(Trouble::Ours)?;
        let bundle = Bundle::parse(BufReader::new(&file)).map_err(|why| {
            Trouble::Theirs(format!("the bundle in the outbox is refused: {why}"))
        })?;
        file.seek(SeekFrom::Start(bundle.pack_offset)).map_err(Trouble::Ours)?;
        Ok((bundle, file))
    }

    /// Unpacks a pack, checking every object as `transfer.fsckObjects` would, and that nothing is missing.
    pub(super) async fn unpack(
        &self,
        repository: &Mirror<'_>,
        pack: File,
    ) -> Result<Unpacked, GitError> {
        let limit = format!("--max-input-size={HAND_IN_BYTES_MAX}");
        let call = repository.git("unpack a hand-in").args(["-c", STREAMED_ABOVE, "index-pack"]);
        let call =
            call.args(["--stdin", "--fix-thin", "--strict", &limit]).input(Input::File(pack));
        match call.output().await {
            Ok(output) if output.code == 0 => Ok(Unpacked::Whole),
            Ok(output) if output.stderr.contains("No space left") => Err(GitError::Command {
                operation: "unpack a hand-in".to_owned(),
                stderr: output.short_stderr(),
            }),
            Ok(output) => Ok(Unpacked::Broken(output.short_stderr())),
            Err(error @ GitError::TimedOut { .. }) => Ok(Unpacked::Broken(error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// Moves what was unpacked into the mirror. Packs are named after their content: doing it twice is fine.
    pub(super) async fn keep(&self, mirror: &Mirror<'_>) -> Result<(), GitError> {
        let from = self.git_dir().join("objects/pack");
        let to = mirror.objects_dir().join("pack");
        let failed = io_error("keep a hand-in", &to);
        blocking(move || move_packs(&from, &to)).await.map_err(failed)
    }
}

/// The index last: git takes a pack for there as soon as its index is.
fn move_packs(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    let mut names: Vec<String> = Vec::new();
    for entry in from.read_dir_utf8()? {
        names.push(entry?.file_name().to_owned());
    }
    names.sort_by_key(|name| Utf8Path::new(name).extension() == Some("idx"));
    for name in &names {
        fs::rename(from.join(name), to.join(name))?;
    }
    File::open(to)?.sync_all()
}
