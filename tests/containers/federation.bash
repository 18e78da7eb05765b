# What the container tests share. Sourced, in the project's folder, with the federation of `scripts/containers up` running.

BINARY=${GUANTONG_BINARY:-target/release/guantong}
LAYOUT=$GUANTONG_CONTAINERS/layout.json
GUANTONG_PASSPHRASE=$(jq -r .passphrase "$LAYOUT")
export GUANTONG_PASSPHRASE
# Nothing here takes longer than a few seconds; a slow machine gets two minutes before a wait fails.
WAIT_SECONDS=120

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

say() {
    printf '   %s\n' "$*"
}

# at CODE ARGS…: a command at a node, as an operator's program gives it; prints JSON.
at() {
    local code=$1 url token
    shift
    url=$(jq -r --arg code "$code" '.nodes[] | select(.code == $code) | .http' "$LAYOUT")
    token=$(jq -r --arg code "$code" '.nodes[] | select(.code == $code) | .token' "$LAYOUT")
    "$BINARY" "$@" --json --node "$url" --token "$token"
}

# as CODE ROLE ARGS…: the same, signed with the key of the person who holds the role there.
as() {
    local code=$1 role=$2 key
    shift 2
    key=$(jq -r --arg code "$code" --arg role "$role" 'first(.people[] | select(.node == $code and .role == $role)) | .key' "$LAYOUT")
    [[ -n $key && $key != null ]] || fail "nobody is $role at $code"
    at "$code" "$@" --key "$GUANTONG_CONTAINERS/$key"
}

# until_true WHAT COMMAND…: waits for the thing itself.
until_true() {
    local what=$1 deadline=$((SECONDS + WAIT_SECONDS))
    shift
    until "$@"; do
        [[ $SECONDS -lt $deadline ]] || fail "not in $WAIT_SECONDS s: $what"
        sleep 0.25
    done
    say "$what"
}

# holds CODE JQ-FILTER COMMAND…: whether the command's JSON answers the filter with true.
holds() {
    local code=$1 filter=$2
    shift 2
    at "$code" "$@" 2>/dev/null | jq -e "$filter" >/dev/null
}
