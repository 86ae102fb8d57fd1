"""The way to an MQTT broker: its address, who we are there, and a client that is not connected yet.

Names of files and users may hold ``{device}``, which stands for the device's name.
"""

import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from dynadeep.host_tools.errors import BrokerError

PORTS = {"mqtt": 1883, "mqtts": 8883}
PACKETS_TOPIC = "dynadeep/{}/packets"
STATUS_TOPIC = "dynadeep/{}/status"
KEEP_ALIVE_S = 20
PASSWORD_BYTES_MAX = 4096


@dataclass(frozen=True)
class Broker:
    """Where a broker is, and what it is shown there."""

    host: str
    port: int
    tls: bool
    cafile: str | None = None  # None: the system's certificate authorities
    cert: str | None = None
    key: str | None = None
    username: str | None = None
    password_file: str | None = None

    def of(self, device: str) -> "Broker":
        """Return the broker as a device meets it, its name laid into what holds ``{device}``."""
        names = ("cafile", "cert", "key", "username", "password_file")
        values = {name: getattr(self, name) for name in names}
        filled = {
            name: value and value.replace("{device}", device) for name, value in values.items()
        }
        return replace(self, **filled)

    def __str__(self) -> str:
        """Name the broker as its address does."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def parse_broker(url: str, **credentials: str | None) -> Broker:
    """Read a broker's address, and take what is shown to it.

    Raises:
        BrokerError: it is no address of a broker, or an option has no meaning with it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in PORTS or not host or parts.path.strip("/") or parts.username:
        raise BrokerError(
            f"--broker {url}: expected mqtt://HOST or mqtts://HOST (TLS), with :PORT where it is "
            "another. A user and a password go with --username and --password-file."
        )
    broker = Broker(host, port or PORTS[parts.scheme], parts.scheme == "mqtts", **credentials)
    tls_options = [f"--{name}" for name in ("cafile", "cert", "key") if getattr(broker, name)]
    if tls_options and not broker.tls:
        raise BrokerError(
            f"{' and '.join(tls_options)}: of no use without TLS. Write --broker mqtts://{host}."
        )
    if (broker.cert is None) != (broker.key is None):
        raise BrokerError("--cert and --key go together: a certificate is shown with its key.")
    if broker.password_file is not None and broker.username is None:
        raise BrokerError("--password-file: of no use without --username. Give both.")
    return broker


def device_of_topic(topic: str) -> str:
    """Return the device whose packets a topic carries; empty if it is no topic of packets."""
    before, after = PACKETS_TOPIC.split("{}")
    if not (topic.startswith(before) and topic.endswith(after)):
        return ""
    return topic[len(before) : -len(after)]


def make_client(broker: Broker, name: str, **options: Any) -> mqtt.Client:
    """Return a client for MQTT 5 that shows the broker what it wants to see.

    Args:
        broker: of the device, see ``Broker.of``.
        name: the client's, one at a time on a broker.
        options: more of those of paho's ``Client``.

    Raises:
        BrokerError: a certificate, key or password cannot be read.
    """
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=name,
        protocol=mqtt.MQTTv5,
        **options,
    )
    if broker.username is not None:
        client.username_pw_set(broker.username, _password(broker.password_file))
    if broker.tls:
        client.tls_set_context(_tls(broker))
    return client


def _password(path: str | None) -> str | None:
    """Return the first line of a file."""
    if path is None:
        return None
    try:
        with Path(path).open(encoding="utf-8") as file:
            return file.read(PASSWORD_BYTES_MAX).partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise BrokerError(
            f"--password-file {path}: expected a password in its first line, found: {error}."
        ) from error


def _tls(broker: Broker) -> ssl.SSLContext:
    """Return what checks the broker's certificate and host name, and shows our own."""
    what = f"--cafile {broker.cafile}"
    try:
        context = ssl.create_default_context(cafile=broker.cafile)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if broker.cert is not None:
            what = f"--cert {broker.cert}, --key {broker.key}"
            context.load_cert_chain(broker.cert, broker.key, password=_no_passphrase)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise BrokerError(f"{what}: expected PEM files, found: {error}.") from error
    return context


def _no_passphrase() -> str:
    raise ValueError("a key with a passphrase, which nobody is there to type")
