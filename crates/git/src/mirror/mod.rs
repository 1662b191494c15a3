//! The mirror of a project: a bare repository that only we write.

mod bare;
mod branches;
mod commit_files;
mod difference;
mod keep;
mod read;
mod sync;

pub(crate) use bare::{Mirror, RefUpdate};
pub(crate) use branches::{
    find_merges, list_branches, list_subjects, move_branch, moved, tracking_ref,
};
pub(crate) use commit_files::commit_files;
pub(crate) use difference::{Entry, RawChange, diff, list_changes, list_raw_changes};
pub(crate) use read::{id_lines, list_files, read_file, read_objects};
pub(crate) use sync::sync;
