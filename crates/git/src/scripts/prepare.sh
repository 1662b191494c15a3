# Puts a kept workspace onto a commit. Work that is not in it stays on branches `salvage/<commit>`; ignored files,
# such as build caches, stay where they are.

keep() {
    own_git update-ref "refs/heads/salvage/$1" "$1" || fail "left-over work cannot be kept on salvage/$1"
}

stage_left_overs
if [ -n "$left_over" ]; then
    saved=$(commit_left_overs 'wip: left over from an earlier run') || fail 'left-over work cannot be committed'
    keep "$saved"
elif [ -n "$parent" ] && ! own_git merge-base --is-ancestor "$parent" "$commit"; then
    keep "$parent"
fi
if tip=$(find_commit "refs/heads/$branch") && ! own_git merge-base --is-ancestor "$tip" "$commit"; then
    keep "$tip"
fi

own_git checkout --quiet --force --no-guess --no-track --ignore-other-worktrees -B "$branch" "$commit" ||
    fail "the branch $branch cannot be checked out at $commit"
rm -rf -- .git/rebase-merge .git/rebase-apply .git/sequencer
rm -f -- .git/MERGE_HEAD .git/MERGE_MSG .git/MERGE_MODE .git/CHERRY_PICK_HEAD .git/REVERT_HEAD .git/AUTO_MERGE
rm -rf -- "$outbox/hand-in" "$outbox/bundle"

[ "$(find_commit HEAD)" = "$commit" ] || fail "HEAD is not at $commit"
