#!/usr/bin/env bash
# Checks the models with spin: each holds, and each version of before fails as it is known to.
#   docs/model/check.sh [model]    needs spin and gcc; takes less than a minute
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# check <holds|fails> <model> <defines>
check() {
  local expected=$1 model=$2
  shift 2
  [ -n "${only:-}" ] && [ "$only" != "$model" ] && return
  local log
  log=$(cd "$work" && cp "$OLDPWD/$model.pml" . &&
    spin -a "$@" "$model.pml" && gcc -O2 -w -DSAFETY -DVECTORSZ=2048 -o pan pan.c && timeout 100 ./pan -E -m1000000 -w22 || true)
  local found=unfinished
  # Time ends in the middle of something (-E): what counts are the assertions.
  if grep -q 'errors: 0' <<<"$log"; then found=holds; fi
  if grep -q 'assertion violated' <<<"$log"; then found=fails; fi
  # A search that did not go through everything proves nothing.
  if grep -q 'max search depth too small\|out of memory' <<<"$log"; then found=unfinished; fi
  printf '%-10s %-6s %-32s %s states\n' "$model" "$found" "$*" "$(sed -nE 's/^ *([0-9.e+]+) states, stored.*/\1/p' <<<"$log")"
  if [ "$found" != "$expected" ]; then
    echo "  expected: $expected"
    echo "$log" | head -20
    status=1
  fi
}

only=${1:-}
check holds refresh -DTRIES=2
check holds refresh -DWINDOW=4 -DCRASH -DTRIES=2
check holds refresh -DWINDOW=2 -DTHIEF -DTRIES=1
check fails refresh -DWINDOW=2 -DTHIEF -DTRIES=1 -DBLIND
check fails refresh -DOLD
check fails refresh -DOLD -DWINDOW=2
check fails refresh -DLEASE=1
check holds revocation
check fails revocation -DOLD_BEFORE
check fails revocation -DOLD_IAT
exit $status
