"""`bosun serve`: the policy for other processes and machines, until Ctrl-C."""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys

from agent.config import load_config
from agent.errors import ConfigError


def serve(args: argparse.Namespace) -> int:
    """Serve the configured policy and say where."""
    config = load_config(args.config, args.overrides)
    key = _key(args)
    from agent.serving import policy_server
    from skills.serve.server import serve_until_interrupted

    server = policy_server(config, key)

    def announce(port: int) -> None:
        if key is None and not _is_loopback(args.host):
            sys.stderr.write(
                f"bosun: whoever reaches {args.host} may use this policy; "
                "--api-key-env or --api-key-file asks for a key.\n"
            )
        host = f"[{args.host}]" if ":" in args.host else args.host
        sys.stdout.write(f"Serving the policy at ws://{host}:{port}; Ctrl-C ends it.\n")
        sys.stdout.flush()

    serve_until_interrupted(server, args.host, args.port, announce)
    return 0


def _key(args: argparse.Namespace) -> str | None:
    """Return the key that clients must show.

    Raises:
        ConfigError: There is none where one should be; its sentence holds no key.
    """
    if args.api_key_env is not None:
        where = f"The environment variable {args.api_key_env}"
        key = os.environ.get(args.api_key_env)
        if key is None:
            raise ConfigError(f"{where} is not set; it must hold the key that clients show.")
    elif args.api_key_file is not None:
        where = f"The file {args.api_key_file}"
        try:
            key = args.api_key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{where} cannot be read: {error}.") from error
    else:
        return None
    if not (key.isascii() and key.isprintable() and key and " " not in key):
        raise ConfigError(f"{where} holds no key: one is of printable ASCII without spaces.")
    return str(key)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
