#!/usr/bin/env bash
# Runs a command without Pathwarden where it can do no harm: it sees this machine, may change all of it, and
# everything but one folder is forgotten afterwards. Waits a while for what the command left running.
#
#   unshare --mount --pid --ipc --uts --fork --kill-child jail.sh FOLDER EMPTY COMMAND…
set -euo pipefail
folder=$1 root=$2
shift 2
mount --make-rprivate /
mount -t tmpfs tmpfs "$root"
mkdir "$root"/{upper,work,all}
mount -t overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" none "$root/all"
mount --bind "$folder" "$root/all$folder"
mount -t proc proc "$root/all/proc"
for part in sys sysrq-trigger; do
    if [ -e "$root/all/proc/$part" ]; then
        mount --bind "$root/all/proc/$part" "$root/all/proc/$part"
        mount -o remount,bind,ro "$root/all/proc/$part"
    fi
done
mount -t tmpfs tmpfs "$root/all/dev"
for device in null zero full random urandom; do
    : >"$root/all/dev/$device"
    mount --bind "/dev/$device" "$root/all/dev/$device"
done
ln -s /proc/self/fd "$root/all/dev/fd"
for number in 0 1 2; do
    name=(stdin stdout stderr)
    ln -s "/proc/self/fd/$number" "$root/all/dev/${name[$number]}"
done
# A root that may do with files what it likes, and nothing with the machine.
rights=+chown,+dac_override,+dac_read_search,+fowner,+fsetid,+kill,+setgid,+setuid,+net_bind_service
status=0
chroot "$root/all" /usr/bin/setpriv --no-new-privs --inh-caps=-all --bounding-set=-all,$rights \
    /usr/bin/env -C "$PWD" "$@" || status=$?
for _ in $(seq 50); do
    left=("$root"/all/proc/[0-9]*)
    [ "${#left[@]}" -gt 1 ] || break
    sleep 0.1
done
exit "$status"
