"""The air around the bench: a controller for the guest's BlueZ, and devices near it, played by Bumble.

    world.py HCI-SOCKET CONTROL-SOCKET

The guest's program says over the second socket what the devices do, one JSON object a line, and gets one line for
each: {"ok": ..} or {"error": ".."}. Addresses, services and how each device is paired stand in tests/vm/devices.rs too.
"""

import asyncio
import json
import struct
import sys

from bumble import gatt, hci
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Device
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.link import LocalLink
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport import open_transport
from bumble.transport.common import AsyncPipeSink

CONTROLLER = "00:AA:01:00:00:42"
# Longest wait for the confirmation of an indication, in seconds.
CONFIRMED_WITHIN = 10
READ, NOTIFY, INDICATE = (
    gatt.Characteristic.Properties.READ,
    gatt.Characteristic.Properties.NOTIFY,
    gatt.Characteristic.Properties.INDICATE,
)


class Air(LocalLink):
    """Carries data from the address that a connection was made with: BlueZ uses its public one, and Bumble's own
    link says the random one."""

    def send_acl_data(self, sender_controller, destination_address, transport, data):
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is None or receiver is None:
            print("lost on the air, to", destination_address, flush=True)
            return
        deliver = receiver.on_link_acl_data
        asyncio.get_running_loop().call_soon(deliver, connection.self_address, transport, data)


class GuestController(Controller):
    """Tells of connections as Linux expects it of a controller that can do extended advertising: with the other
    one of the two events it goes on waiting."""

    def send_hci_packet(self, packet):
        if isinstance(packet, hci.HCI_LE_Connection_Complete_Event):
            nobody = hci.Address("00:00:00:00:00:00/P")
            same = (
                "status connection_handle role peer_address_type peer_address connection_interval "
                "peripheral_latency supervision_timeout central_clock_accuracy"
            )
            packet = hci.HCI_LE_Enhanced_Connection_Complete_Event(
                local_resolvable_private_address=nobody,
                peer_resolvable_private_address=nobody,
                **{name: getattr(packet, name) for name in same.split()},
            )
        super().send_hci_packet(packet)


class Person(PairingDelegate):
    """Whoever holds the device while it is paired."""

    def __init__(self, toy, can):
        super().__init__(can)
        self.toy = toy

    async def accept(self):
        return not self.toy.refuses

    async def confirm(self, auto=False):
        return True

    async def compare_numbers(self, number, digits):
        self.toy.shows = number
        return True

    async def display_number(self, number, digits):
        self.toy.shows = number

    async def get_number(self):
        return await self.toy.typed.get()


class Toy:
    """One device."""

    def __init__(self, address, name, services, can):
        self.address, self.name, self.can = address, name, can
        # What its display shows; what a person types on it; whether it wants to be paired.
        self.shows, self.typed, self.refuses = None, asyncio.Queue(), False
        self.connections, self.bonds = 0, 0
        self.characteristics, self.services = {}, []
        for service, characteristics in services.items():
            made = {
                number: gatt.Characteristic(UUID.from_16_bits(number), how, self.guarded(how, can), value)
                for number, how, value in characteristics
            }
            self.characteristics |= made
            self.services.append(gatt.Service(UUID.from_16_bits(service), list(made.values())))
        # It says the first of them to everybody.
        self.says = struct.pack("<H", next(iter(services)))
        self.connection = self.device = None

    @staticmethod
    def guarded(how, can):
        permissions = gatt.Characteristic.Permissions(0)
        if how & READ:
            permissions |= gatt.Characteristic.READABLE
            if can is not None:
                permissions |= gatt.Characteristic.READ_REQUIRES_ENCRYPTION
        return permissions

    async def switch_on(self, air):
        controller = Controller(self.name, link=air, public_address=self.address)
        host = Host(controller, AsyncPipeSink(controller))
        self.device = device = Device(name=self.name, address=hci.Address(self.address), host=host)
        device.add_services(self.services)
        if self.can is not None:
            for attribute in device.gatt_server.attributes:
                if attribute.type == gatt.GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR:
                    attribute.permissions |= gatt.Characteristic.WRITE_REQUIRES_ENCRYPTION
            device.pairing_config_factory = lambda _: PairingConfig(
                mitm=self.can != PairingDelegate.NO_OUTPUT_NO_INPUT,
                identity_address_type=PairingConfig.AddressType.RANDOM,
                delegate=Person(self, self.can),
            )
        device.advertising_data = bytes(
            AdvertisingData(
                [
                    (AdvertisingData.FLAGS, bytes([6])),
                    (AdvertisingData.COMPLETE_LOCAL_NAME, self.name.encode()),
                    (AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, self.says),
                ]
            )
        )
        device.on("connection", self.on_connection)
        await device.power_on()
        device.keystore = MemoryKeyStore()
        await self.advertise()

    async def advertise(self):
        await self.device.start_advertising(
            auto_restart=False, advertising_interval_min=250, advertising_interval_max=250
        )

    def on_connection(self, connection):
        self.say("connected by", connection.peer_address)
        self.connection = connection
        self.connections += 1
        self.shows = None
        connection.on("disconnection", self.on_disconnection)
        connection.on("connection_encryption_change", lambda: self.say("encrypted:", connection.encryption))
        connection.on("pairing_start", lambda: self.say("is paired"))
        connection.on("pairing", self.on_bond)
        connection.on("pairing_failure", self.on_failure)

    def on_disconnection(self, reason):
        self.say("disconnected:", reason)
        self.connection = None
        task = asyncio.ensure_future(self.advertise())
        task.add_done_callback(lambda task: task.exception() and self.say(repr(task.exception())))

    def on_bond(self, keys):
        self.say("bonded")
        self.bonds += 1

    def on_failure(self, reason):
        self.say("not bonded:", reason)

    def say(self, *words):
        print(f"[{self.name}]", *words, flush=True)

    # What the guest's program may ask of a device.

    async def state(self):
        return {
            "connections": self.connections,
            "connected": self.connection is not None,
            "encrypted": bool(self.connection and self.connection.encryption),
            "bonds": self.bonds,
            "shows": self.shows,
        }

    async def send(self, characteristic, value):
        """Notifies or indicates; false where nobody is subscribed."""
        found = self.characteristics[characteristic]
        subscribed = self.device.gatt_server.subscribers.get(self.connection, {})
        if not any(subscribed.get(found.handle, b"\0\0")):
            return False
        if found.properties & INDICATE:
            sent = self.device.indicate_subscribers(found, bytes.fromhex(value))
            await asyncio.wait_for(sent, CONFIRMED_WITHIN)
        else:
            await self.device.notify_subscribers(found, bytes.fromhex(value))
        return True

    async def hang_up(self):
        await self.connection.disconnect()

    async def refuse(self, refuses):
        self.refuses = refuses

    async def type(self, number):
        await self.typed.put(number)


def everything():
    """The devices; each that wants a bond gives nothing over a link that is not encrypted."""
    heart = [(0x2A37, NOTIFY, b""), (0x2A38, READ, b"\x01")]
    beside = {0x180F: [(0x2A19, READ | NOTIFY, b"\x57")], 0x180A: [(0x2A24, READ, b"HR-1")]}
    temperature = [(0x2A1C, INDICATE, b""), (0x2A1D, READ, b"\x02")]
    pressure = [(0x2A35, INDICATE, b""), (0x2A49, READ, b"\x04\x00")]
    oxygen = [(0x2A5F, NOTIFY, b""), (0x2A60, READ, b"\x00\x00")]
    weight = [(0x2A9D, INDICATE, b""), (0x2A9E, READ, b"\x00\x00\x00\x00")]
    return [
        Toy("F0:F1:F2:F3:F4:01", "Strap", {0x180D: heart, **beside}, None),
        Toy("F0:F1:F2:F3:F4:02", "Ear", {0x1809: temperature}, PairingDelegate.NO_OUTPUT_NO_INPUT),
        Toy("F0:F1:F2:F3:F4:03", "Cuff", {0x1810: pressure}, PairingDelegate.DISPLAY_OUTPUT_AND_YES_NO_INPUT),
        Toy("F0:F1:F2:F3:F4:04", "Clip", {0x1822: oxygen}, PairingDelegate.DISPLAY_OUTPUT_ONLY),
        Toy("F0:F1:F2:F3:F4:05", "Scale", {0x181D: weight}, PairingDelegate.KEYBOARD_INPUT_ONLY),
    ]


async def obey(toys, reader, writer):
    orders = {"state", "send", "hang_up", "refuse", "type"}
    while line := await reader.readline():
        try:
            order = json.loads(line)
            toy, what = toys[order.pop("device")], order.pop("do")
            if what not in orders:
                raise ValueError(what)
            answer = {"ok": await getattr(toy, what)(**order)}
        except Exception as error:  # The guest's scenario fails by it, and nothing else.
            answer = {"error": repr(error)}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()


async def main(hci_socket, control_socket):
    air = Air()
    transport = await open_transport(f"unix:{hci_socket}")
    guest = GuestController(
        "guest", host_source=transport.source, host_sink=transport.sink, link=air, public_address=CONTROLLER
    )
    toys = {toy.address: toy for toy in everything()}
    for toy in toys.values():
        await toy.switch_on(air)
    print("all devices are on", guest.public_address, flush=True)
    await obey(toys, *await asyncio.open_unix_connection(control_socket))


asyncio.run(main(*sys.argv[1:]))
