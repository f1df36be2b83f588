# Shared by the scripts in this folder; sourced, never run.
#
# A stamp is an empty file whose time is the moment at which a build *began*. An input that
# changed after that moment makes the stamp stale. The change time (ctime) is compared, not the
# modification time: copying, unpacking or checking out an old file cannot set it back.

root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
stamps="$root/.stamps"

say() { printf '%s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# fresh NAME INPUT…: true when nothing under the inputs changed since stamp NAME was taken.
fresh() {
  local stamp="$stamps/$1"
  shift
  [[ -e $stamp ]] || return 1
  [[ -z $(cd "$root" && find "$@" -path src/native-bridge/native/build -prune -o \
    -cnewer "$stamp" -print -quit 2>&1) ]]
}

# begin_stamp NAME / finish_stamp NAME: around the work; a crash in between leaves the old stamp.
begin_stamp() {
  mkdir -p "$stamps"
  : >"$stamps/$1.begun"
}
finish_stamp() { mv "$stamps/$1.begun" "$stamps/$1"; }
