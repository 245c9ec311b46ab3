#!/bin/sh
# Runs the scenarios of the bench in a machine of its own: Debian's kernel and bluetoothd in QEMU, without hardware of
# any kind, the host's files under it, read-only. The devices are processes of the host (world.py).
#
#   run.sh PLACE PROGRAM [WORD]
#
# Of the scenarios, those whose name contains WORD. PLACE keeps what is prepared once (kernel, Bumble; a newer kernel is
# fetched when this one is removed) and the logs of the last run. Ends by itself, with everything that it started.
set -eu

PATH=$PATH:/usr/sbin:/sbin
place=$(mkdir -p "$1" && cd "$1" && pwd)
program=$(realpath "$2")
word=${3:-}
here=$(cd "$(dirname "$0")" && pwd)

BUMBLE=0.0.236
# Seconds until a machine is given up that has not switched itself off; guest.sh gives the scenarios some less.
LIMIT=220

# The kernel that Debian installs, unpacked.
kernel() {
    kernel=$(find "$place" -maxdepth 1 -name 'linux-image-*' | sort -V | tail -n 1)
    [ -z "$kernel" ] || return 0
    name=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p' | head -n 1)
    if [ -z "$name" ]; then
        echo "apt knows no package linux-image-amd64: this needs Debian on amd64, and apt-get update"
        return 1
    fi
    mkdir -p "$place/deb" "$place/unpacked"
    (cd "$place/deb" && apt-get download -q "$name")
    dpkg-deb -x "$place/deb/$name"_*.deb "$place/unpacked"
    depmod -b "$place/unpacked" "$(ls "$place/unpacked/lib/modules")"
    rm -r "$place/deb"
    kernel=$place/$name
    mv "$place/unpacked" "$kernel"
}

bumble() {
    python=$place/bumble-$BUMBLE/bin/python
    [ ! -e "$python" ] || return 0
    python3 -m venv "$place/new"
    "$place/new/bin/python" -m pip install --quiet --disable-pip-version-check "bumble==$BUMBLE"
    # Its scripts name their place, but nobody calls them.
    mv "$place/new" "$place/bumble-$BUMBLE"
}

# What the kernel needs until it sees the host's files: its drivers, in the order of their dependencies, and init.
initial() {
    root=$run/initial
    mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/modules"
    cp /bin/busybox "$root/bin/"
    cp "$here/init.sh" "$root/init"
    chmod +x "$root/init"
    version=$(ls "$kernel/lib/modules")
    for module in virtio_pci 9pnet_virtio 9p overlay; do
        modprobe -d "$kernel" -S "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
    done | awk '!seen[$0]++' | while read -r file; do
        case $file in
            *.xz) xz -dc "$file" >"$root/modules/$(basename "$file" .xz)" ;;
            *) cp "$file" "$root/modules/" ;;
        esac
        basename "$file" .xz >>"$root/modules/order"
    done
    (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1 >"$run/initial.gz")
}

world= machine=
# Ends what this script started and nothing else.
end() {
    for process in $world $machine; do kill "$process" 2>/dev/null && wait "$process" 2>/dev/null || true; done
    rm -rf "$run"
}

# Waits until QEMU listens.
listens() {
    for _ in $(seq 100); do
        if [ -S "$1" ]; then return 0; fi
        sleep 0.1
    done
    echo "QEMU does not start:"
    cat "$place/machine.log"
    return 1
}

boot() {
    mkdir -p "$run/out"
    share=security_model=none,multidevs=remap
    timeout "$LIMIT" qemu-system-x86_64 \
        -M q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1536 \
        -nodefaults -no-user-config -display none -no-reboot \
        -kernel "$kernel"/boot/vmlinuz-* -initrd "$run/initial.gz" \
        -append "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off tsc=reliable random.trust_cpu=on bench=$here/guest.sh,$kernel/lib/modules,$program,$word" \
        -fsdev "local,id=host,path=/,readonly=on,$share" -device virtio-9p-pci,fsdev=host,mount_tag=host \
        -fsdev "local,id=out,path=$run/out,$share" -device virtio-9p-pci,fsdev=out,mount_tag=out \
        -device virtio-rng-pci -device virtio-serial-pci \
        -chardev "socket,id=control,path=$run/control,server=on,wait=off" -device virtserialport,chardev=control \
        -serial stdio -serial "unix:$run/hci,server=on,wait=off" \
        >"$place/machine.log" 2>&1 </dev/null &
    machine=$!
    listens "$run/hci"
    "$python" "$here/world.py" "$run/hci" "$run/control" >"$place/world.log" 2>&1 &
    world=$!
    wait "$machine" || echo "the machine did not switch itself off"
    machine=
    kill "$world" 2>/dev/null || true
    wait "$world" 2>/dev/null || true
    world=
    rm -rf "$place/out"
    mv "$run/out" "$place/out"
}

run=$(mktemp -d)
trap end EXIT
trap 'exit 1' INT TERM
kernel
bumble
initial
boot
# A machine whose parts did not start, under a host that is busy, says nothing of the driver.
if ! grep -q '^bluetoothd and a controller' "$place/out/scenarios.log"; then
    echo "The machine did not come so far as to try anything; once more"
    boot
fi
cat "$place/out/scenarios.log"
if grep -qE 'BUG|Oops|Call Trace' "$place/machine.log"; then echo "The kernel itself failed: $place/machine.log"; fi
grep -q '^[0-9]* scenarios hold$' "$place/out/scenarios.log"
