#!/bin/busybox sh
# The first process of the machine: mounts the host's root, read-only, under a layer of memory, and goes on in it.
# The kernel's command line says by bench= which script that is, and what it is told.
busybox=/bin/busybox
$busybox mount -t proc none /proc
$busybox mount -t devtmpfs none /dev
$busybox mount -t sysfs none /sys
for module in $($busybox cat /modules/order); do
    $busybox insmod "/modules/$module" || echo "init: $module was not loaded"
done
$busybox mkdir -p /below /above /root
share=trans=virtio,version=9p2000.L,msize=1048576
$busybox mount -t 9p -o "$share,ro,cache=loose" host /below || exec $busybox poweroff -f
$busybox mount -t tmpfs none /above
$busybox mkdir /above/changes /above/work
$busybox mount -t overlay -o lowerdir=/below,upperdir=/above/changes,workdir=/above/work none /root
for place in proc sys dev; do $busybox mount --move /$place /root/$place; done
# Sockets of the host's daemons lead nowhere here.
$busybox mount -t tmpfs none /root/run
$busybox mount -t 9p -o "$share,rw" out /root/mnt
bench=$($busybox sed 's/.*bench=\([^ ]*\).*/\1/' /root/proc/cmdline)
exec $busybox chroot /root /bin/sh $($busybox printf '%s' "$bench" | $busybox tr , ' ')
