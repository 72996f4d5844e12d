#!/usr/bin/env bash
# Resolve the .in files beside this one into hash-pinned .txt files. $1 is the uv to use.
#
# The .txt files name no index: an installation takes its wheels from wherever its own pip is told to.
# --universal makes one lock serve every platform; the oldest supported Python sets the versions.
# --no-strip-extras pins `coverage[toml]` under that name too: every requirement finds its pin as it asks for it.
set -euo pipefail
cd "$(dirname "$0")"
uv=$1

lock() { # lock TARGET ARGUMENTS...: uv keeps the versions that stand in TARGET unless a pin above them changed
  local target=$1
  shift
  "$uv" pip compile --quiet --no-config --no-cache --universal --python-version 3.11 --only-binary :all: --generate-hashes \
    --no-strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-annotate --output-file "$target" "$@"
}

lock pip.txt pip.in
lock run.txt build.in run.in
# The tests must run on exactly what a server runs on.
lock test.txt --constraint run.txt build.in test.in
lock clients.txt clients.in
lock lock.txt lock.in
