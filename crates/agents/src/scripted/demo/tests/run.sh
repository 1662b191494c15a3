#!/bin/sh
# Runs greet as a user would and compares what it says. Prints TAP; exits with 1 if a test fails.
set -u
cd "$(dirname "$0")/.." || exit 1

count=0
failed=0

# check NAME STATUS OUTPUT [ARGUMENT...]
check() {
    name=$1
    status=$2
    output=$3
    shift 3
    count=$((count + 1))
    found=$(sh bin/greet "$@" 2>&1)
    found_status=$?
    if [ "$found_status" -eq "$status" ] && [ "$found" = "$output" ]; then
        echo "ok $count - $name"
        return
    fi
    failed=$((failed + 1))
    echo "not ok $count - $name"
    echo "  ---"
    echo "  expected: status $status and \"$output\""
    echo "  found: status $found_status and \"$found\""
    echo "  ..."
}

check "greets the world when nobody is named" 0 "Hello, world!"
check "greets a name" 0 "Hello, Ada!" Ada
check "greets several words" 0 "Hello, Ada and Grace!" Ada and Grace
check "greets in capitals" 0 "HELLO, ADA!" --shout Ada
check "refuses an option that it does not know" 2 "greet: unknown option '--loud', try 'greet --help'" --loud

echo "1..$count"
[ "$failed" -eq 0 ]
