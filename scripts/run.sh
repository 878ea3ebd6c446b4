#!/usr/bin/env bash
# Starts four nodes in the folder given, plays the demonstration on them and stays up until Ctrl-C or SIGTERM.
set -euo pipefail

dir=${1:?folder of the nodes}
yulian="$("$(dirname "$0")/target-dir.sh")/release/yulian"
pipes=$(mktemp -d)
up='' demo=''

stop() { # exit code
    trap '' INT TERM HUP
    [ -z "$demo" ] || kill -TERM "$demo" 2> /dev/null || true
    if [ -n "$up" ]; then
        kill -TERM "$up" 2> /dev/null || true
        wait "$up" 2> /dev/null || true
    fi
    rm -rf "$pipes"
    exit "$1"
}
trap 'stop 0' INT TERM HUP

# A process group of its own: Ctrl-C reaches this script only, which asks `up` once to stop in order.
mkfifo "$pipes/up"
set -m
# shellcheck disable=SC2086  # options are separated by blanks on purpose
"$yulian" up --dir "$dir" ${UP_FLAGS:-} < /dev/null > "$pipes/up" &
up=$!
set +m
exec 3< "$pipes/up"

ready=''
while [ -z "$ready" ] && IFS= read -r line <&3; do
    printf '%s\n' "$line"
    case $line in ready*) ready=$line ;; esac
done
if [ -z "$ready" ]; then
    code=0
    wait "$up" || code=$?
    up=''
    echo "节点没有启动，原因见上。 / The nodes did not start, the reason is above." >&2
    stop $((code == 0 ? 2 : code))
fi
cat <&3 &

url=$(sed -n 's/.*"url": *"\([^"]*\)".*/\1/p' "$dir/up.json" | head -n 1)
"$yulian" demo --url "$url" --dir "$dir" < /dev/null &
demo=$!
code=0
wait "$demo" || code=$?
demo=''
if [ "$code" -ne 0 ]; then
    echo "演示未通过（退出码 $code），正在停止。 / The demonstration failed (exit code $code); stopping." >&2
    stop "$code"
fi

printf '\n%s\n%s\n' "$ready" "节点继续运行，按 Ctrl-C 停止。 / The nodes stay up; Ctrl-C stops them."
printf '%s\n%s\n' \
    "接着可在另一终端建立 1+19 融合网络：$yulian fusion build --dir $dir；或停止后：$yulian up --topology henan，再演示 $yulian demo fusion" \
    "Next, in another terminal, the 1+19 fusion network: $yulian fusion build --dir $dir; or after stopping: $yulian up --topology henan, then $yulian demo fusion"
code=0
wait "$up" || code=$?
up=''
stop "$code"
