# shellcheck shell=bash
# For the examples in curl, to be sourced: starts the server that the script's first argument, $NTK_SERVER or the release build names, on a
# free port of loopback. Sets `address`, and `work`, a directory of its own; both the server and the directory go when the script ends.
server=${1:-${NTK_SERVER:-$here/../.build/release/ntk-server}}
[[ -x $server ]] || { echo "no server binary at $server; build it with: make build" >&2; exit 2; }
work=$(mktemp -d)
server_pid=
stop() {
    if [[ -n $server_pid ]]; then
        kill "$server_pid" 2> /dev/null || true
        wait "$server_pid" 2> /dev/null || true
    fi
    rm -rf "$work"
}
trap stop EXIT

"$server" serve --host 127.0.0.1 --port 0 --data-dir "$work/data" > "$work/out" 2> "$work/err" &
server_pid=$!
address=
for _ in $(seq 100); do
    address=$(awk '/^listening on / { print $3; exit }' "$work/out")
    [[ -n $address ]] && break
    kill -0 "$server_pid" 2> /dev/null || break
    sleep 0.1
done
[[ -n $address ]] || { echo "the server did not start:" >&2; cat "$work/out" "$work/err" >&2; exit 1; }
