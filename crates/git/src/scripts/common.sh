# The beginning of both scripts. They run inside the agent's sandbox, on a repository that the agent could
# write: nothing in it is relied on. Needed: a POSIX shell, git, rm and mv.
# Arguments: repository, outbox, branch, commit, name, email; then those of the script itself.
set -u
repository=$1 outbox=$2 branch=$3 commit=$4 name=$5 email=$6
shift 6

fail() {
    printf 'gatewright: %s\n' "$1" >&2
    exit 1
}

# Only this repository counts, not what the environment says; and no configuration but the repository's own.
unset GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR GIT_NAMESPACE
unset GIT_CONFIG GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS GIT_AUTHOR_DATE GIT_COMMITTER_DATE GIT_LITERAL_PATHSPECS
export GIT_DIR="$repository/.git" GIT_WORK_TREE="$repository"
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null LC_ALL=C GIT_TERMINAL_PROMPT=0
export GIT_NO_REPLACE_OBJECTS=1 GIT_NO_LAZY_FETCH=1
export GIT_AUTHOR_NAME="$name" GIT_AUTHOR_EMAIL="$email" GIT_COMMITTER_NAME="$name" GIT_COMMITTER_EMAIL="$email"

own_git() {
    git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.sparseCheckout=false -c commit.gpgsign=false \
        -c gc.auto=0 -c maintenance.auto=false -c advice.addEmbeddedRepo=false "$@"
}

find_commit() {
    own_git rev-parse --quiet --verify "$1^{commit}"
}

# Sets `parent` to the commit that HEAD is at, and `left_over` to the tree of everything in the work tree, or to
# nothing where that is what the parent holds. Whatever merge or rebase was under way, its files are taken as they
# stand; a file that cannot be read is named and left out.
stage_left_overs() {
    own_git add --all --sparse --ignore-errors
    left_over=$(own_git write-tree) || fail 'left-over work cannot be committed'
    if parent=$(find_commit HEAD); then
        before=$(own_git rev-parse --verify "$parent^{tree}") || fail 'the last commit cannot be read'
    else
        parent=
        before=$(own_git hash-object -t tree /dev/null)
    fi
    if [ "$left_over" = "$before" ]; then
        left_over=
    fi
}

# Prints a commit of `left_over` on top of `parent`; its message is the first argument. Made from the tree, not by
# `git commit`, which would ask hooks, signatures, templates and a merge under way.
commit_left_overs() {
    printf '%s\n' "$1" | own_git commit-tree "$left_over" ${parent:+-p "$parent"}
}

cd -- "$repository" || fail "the directory $repository cannot be entered"
own_git rev-parse --git-dir >/dev/null || fail "$repository is not a git repository any more"
[ -n "$(find_commit "$commit")" ] || fail "the commit $commit cannot be read in $repository"

# Locks of a git that was killed: nobody else is here any more.
rm -f -- .git/index.lock .git/HEAD.lock .git/packed-refs.lock .git/config.lock ".git/refs/heads/$branch.lock"
if at=$(own_git symbolic-ref --quiet HEAD); then
    rm -f -- ".git/$at.lock"
else
    at=detached
fi

# An index that was cut short is made again; what differs from it is left-over work.
if ! own_git ls-files >/dev/null 2>&1; then
    rm -f -- .git/index
    find_commit HEAD >/dev/null && own_git read-tree HEAD
fi
