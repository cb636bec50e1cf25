# Sourced by the shell scripts one folder up: where the project is, and how to say things.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scripts=$root/scripts
venv=$root/.venv
python=$venv/bin/python

say() { printf '== %s\n' "$*"; }

# die [-STATUS] SENTENCE
die() {
  local status=1
  if [[ $1 =~ ^-[0-9]+$ ]]; then
    status=${1#-}
    shift
  fi
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit "$status"
}

# The comment at the top of a script is its help.
usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

# The entries of a pin file, without its comments.
entries() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$1"; }
