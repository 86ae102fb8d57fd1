"""The options of every command that meets an MQTT broker."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dynadeep.host_tools.cloud.broker import Broker

BrokerOption = Annotated[
    str,
    typer.Option(
        "--broker", metavar="URL", help="mqtt://HOST[:PORT], or mqtts://HOST[:PORT] with TLS."
    ),
]
CaFileOption = Annotated[
    str | None,
    typer.Option(
        "--cafile", help="PEM: who signed the broker's certificate; else whom the system trusts."
    ),
]
CertOption = Annotated[
    str | None, typer.Option("--cert", help="PEM: the certificate that the broker is shown.")
]
KeyOption = Annotated[str | None, typer.Option("--key", help="PEM: its key, without a passphrase.")]
UsernameOption = Annotated[str | None, typer.Option("--username", help="For the broker.")]
PasswordFileOption = Annotated[
    str | None, typer.Option("--password-file", help="A file whose first line is the password.")
]


def broker_of(
    *,
    broker: BrokerOption,
    cafile: CaFileOption = None,
    cert: CertOption = None,
    key: KeyOption = None,
    username: UsernameOption = None,
    password_file: PasswordFileOption = None,
) -> "Broker":
    """Return the broker that the options name.

    Raises:
        MissingDependencyError: the extra ``cloud`` is not installed.
        BrokerError: the address is none, or an option has no meaning with it.
    """
    from dynadeep.host_tools.cloud.extra import require

    require("paho")
    from dynadeep.host_tools.cloud.broker import parse_broker

    return parse_broker(
        broker, cafile=cafile, cert=cert, key=key, username=username, password_file=password_file
    )
