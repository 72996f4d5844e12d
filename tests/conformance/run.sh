#!/usr/bin/env bash
# Replay the recorded exchanges of CareyShop against a server of our own, started here on an empty data directory.
#   tests/conformance/run.sh [options of replay.py, as --only login. or --report out.json]
# The recordings stay outside this repository (they came from an AGPL program): SHARED names the folder that holds them.
set -euo pipefail
cd "$(dirname "$0")/../.."

bin=$PWD/.venv/bin
config=$PWD/tests/conformance.toml
replay=${SHARED:-$PWD/../shared}/conformance/careyshop/replay.py
if [[ ! -f $replay ]]; then
  echo "the recorded exchanges are missing: $replay is not there; put the shared folder beside this one, or say SHARED=/its/path." >&2
  exit 1
fi

work=$(mktemp -d)
server=
finish() {
  if [[ -n $server ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT

place=(--data "$work/data" --config "$config")
port=$("$bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$bin/menshen" serve "${place[@]}" --host 127.0.0.1 --port "$port" >"$work/log" 2>&1 &
server=$!

give_up() { # give_up SENTENCE: the server's own last words are the best hint
  echo "$1" >&2
  tail -n 30 "$work/log" >&2
  exit 1
}

is_ready() {
  "$bin/python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=2)' \
    "http://127.0.0.1:$port/readyz" 2>/dev/null
}
for _ in {1..600}; do
  if is_ready; then break; fi
  kill -0 "$server" 2>/dev/null || give_up "menshen serve ended before it was ready:"
  sleep 0.1
done
is_ready || give_up "menshen serve is not ready after a minute:"

# As the head of replay.py asks for them.
"$bin/menshen" app add main --appkey 11111111 --secret 0123456789abcdef0123456789abcdef "${place[@]}" >/dev/null
"$bin/menshen" app add captcha --appkey 22222222 --secret 22222222222222222222222222222222 --captcha always "${place[@]}" >/dev/null
"$bin/menshen" app add disabled --appkey 33333333 --secret 33333333333333333333333333333333 --disabled "${place[@]}" >/dev/null

# replay.py hands these to a shell.
printf -v quoted '%q ' "${place[@]}"
printf -v menshen '%q' "$bin/menshen"
status=0
"$bin/python" "$replay" "http://127.0.0.1:$port" \
  --disable-account "$menshen account disable {username} $quoted" \
  --delete-account "$menshen account delete {username} --yes $quoted" "$@" | tee "$work/report" || status=$?

kill -0 "$server" 2>/dev/null || give_up "menshen serve ended during the replay:"
if [[ $status != 0 ]] || { [[ $# == 0 ]] && ! grep -q '^504 passed, 0 failed' "$work/report"; }; then
  give_up "the answers differ from the recorded ones (504 passed, 0 failed is what it takes):"
fi
