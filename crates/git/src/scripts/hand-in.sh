# Commits left-over work where HEAD is, and packs everything that is not in the start into the outbox: a bundle, and
# a note that says what is in it. The note comes last, and each appears whole or not at all.
message=$1
rm -rf -- "$outbox/hand-in" "$outbox/hand-in.part" "$outbox/bundle" "$outbox/bundle.part" "$outbox/bundle.part.lock"

stage_left_overs
if [ -n "$left_over" ]; then
    parent=$(commit_left_overs "$message") || fail 'left-over work cannot be committed'
    own_git update-ref -m 'gatewright: left-over work' HEAD "$parent" || fail 'HEAD cannot be moved'
fi

# A ref of its own for HEAD, which may be on no branch.
if [ -n "$parent" ]; then
    own_git update-ref refs/hand-in/head "$parent" || fail 'HEAD cannot be handed in'
    set -- refs/hand-in/head --branches
else
    set -- --branches
fi
own=$(find_commit "refs/heads/$branch") || own=none

# Git makes no bundle of nothing.
first=$(own_git rev-list --max-count=1 "$@" --not "$commit") || fail 'the new commits cannot be listed'
if [ -n "$first" ]; then
    bundled=yes
    own_git bundle create --quiet "$outbox/bundle.part" "$@" --not "$commit" || fail 'the new commits cannot be packed'
    mv -f -- "$outbox/bundle.part" "$outbox/bundle" || fail 'the outbox cannot be written'
else
    bundled=no
fi
printf 'gatewright hand-in 1\nstart %s\nat %s\nbranch %s\nbundle %s\nend\n' "$commit" "$at" "$own" "$bundled" \
    >"$outbox/hand-in.part" || fail 'the outbox cannot be written'
mv -f -- "$outbox/hand-in.part" "$outbox/hand-in" || fail 'the outbox cannot be written'
