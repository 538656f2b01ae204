#!/bin/sh
# Installs or updates Sala on this laptop from the USB stick in whose folder this file lies: no network, no questions.
#
#   sudo sh /media/usb/install.sh [LOGIN]
#
# LOGIN is the officer's login on this laptop: the next office pack of packs/ is laid into that home as Sala.pack and moved to
# packs/used/, so that no pack is given twice. Without LOGIN only the program is installed.
#
# Beside this file lie sala_VERSION_ARCH.deb, packs/*.pack and roots/*.pub (the centre's public key, from the hub's folder).
# Results come back to the stick: results/LAPTOP.json (the self-test) and one line in results/list.csv.
# SALA_ROOT names another root folder, to prepare an image of a disk. Exit code 1: nothing was handed to the officer.
set -eu

stick=$(cd "$(dirname "$0")" && pwd)
root=${SALA_ROOT:-}
login=${1:-}
laptop=$(uname -n)-$(head -c 8 "$root/etc/machine-id" 2>/dev/null || echo unnamed)
results=$stick/results
mkdir -p "$results"

stop() {
    printf 'ឈប់ · Stopped: %s\n' "$1" >&2
    exit 1
}

package=$(find "$stick" -maxdepth 1 -name 'sala_*.deb' | sort -V | tail -n 1)
[ -n "$package" ] || stop "no sala_*.deb beside install.sh"
home=
if [ -n "$login" ]; then
    home=$(awk -F: -v login="$login" '$1 == login { print $6 }' "$root/etc/passwd")
    [ -n "$home" ] && [ -d "$root$home" ] || stop "no login $login on this laptop"
fi

dpkg --root="$root/" --install "$package" >"$results/$laptop.log" 2>&1 || stop "dpkg failed, see results/$laptop.log"
differ=$(dpkg --root="$root/" --verify sala 2>&1) # says so in words only, never by its exit code
[ -z "$differ" ] || stop "files differ from the package, a bad stick or disk: $differ"
pins=$root/usr/lib/sala/_internal/assets/trust/roots
mkdir -p "$pins"
for key in "$stick"/roots/*.pub; do
    [ ! -e "$key" ] || cp "$key" "$pins/"
done

tested=ok
"$root/usr/bin/sala-cli" --json selftest >"$results/$laptop.json" 2>>"$results/$laptop.log" || tested=failed

pack=
if [ "$tested" = ok ] && [ -n "$login" ] && [ ! -e "$root$home/Sala.pack" ]; then
    pack=$(find "$stick/packs" -maxdepth 1 -name '*.pack' 2>/dev/null | sort -V | head -n 1)
    [ -n "$pack" ] || stop "the program is installed, but packs/ holds no unused office pack"
    owner=$(awk -F: -v login="$login" '$1 == login { print $3 ":" $4 }' "$root/etc/passwd")
    cp "$pack" "$root$home/Sala.pack"
    chown "$owner" "$root$home/Sala.pack"
    chmod 600 "$root$home/Sala.pack"
    mkdir -p "$stick/packs/used"
    mv "$pack" "$stick/packs/used/"
fi

printf '%s,%s,%s,%s,%s\n' "$(date -u +%Y-%m-%dT%H:%MZ)" "$laptop" "$(basename "$package")" "$tested" \
    "$([ -z "$pack" ] || basename "$pack")" >>"$results/list.csv"
sync
[ "$tested" = ok ] || stop "the self-test failed, see results/$laptop.json"
printf 'រួចរាល់ · Done: %s %s\n' "$(basename "$package")" "$([ -z "$pack" ] || basename "$pack")"
