#!/bin/sh
# In the machine, as its first process: what the driver stands on, then the scenarios, then off. What is written to
# /mnt is on the host.
#
#   guest.sh MODULES PROGRAM [WORD]
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp
{
    mkdir -p /run/dbus /var/lib/bluetooth /lib/modules
    # So that the kernel finds by itself what it needs.
    mount --bind "$1" /lib/modules
    # No bond of the host's.
    mount -t tmpfs none /var/lib/bluetooth
    modprobe -a virtio_console bluetooth hci_uart uhid ecdh_generic cmac
    dbus-daemon --system --fork
    btattach -B /dev/ttyS1 -P h4 &
} >/mnt/guest.log 2>&1
# Each line of a log that went straight to the host would be waited for.
logs=$(mktemp -d)
for port in /dev/vport*p1; do timeout 190 "$2" "$port" "$logs" ${3:-}; done >/mnt/scenarios.log 2>&1
cp "$logs"/* /mnt
sync
echo o >/proc/sysrq-trigger
sleep 60
