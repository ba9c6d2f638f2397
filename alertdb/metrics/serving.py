"""The endpoint that Prometheus scrapes."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from prometheus_client import start_http_server
from prometheus_client.registry import CollectorRegistry

from alertdb.metrics.collector import ArchiveCollector
from alertdb.metrics.errors import BadListenAddress, MetricsNotServed

if TYPE_CHECKING:
    from alertdb.config import Config

__all__ = ["serve"]

log = logging.getLogger("metrics")
ENDINGS = {signal.SIGTERM, signal.SIGINT}


def serve(config: Config, listen: str) -> None:
    """Serve the archive's metrics at HOST:PORT until SIGTERM or SIGINT comes; port 0 is any that is free.

    Raises
    ------
    BadListenAddress, MetricsNotServed
        If that address cannot be listened at.
    """
    host, port = _parse(listen)
    registry = CollectorRegistry()
    registry.register(ArchiveCollector(config))
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)  # for the server's threads too: this one waits for them
    try:
        server, thread = start_http_server(port, host, registry)
    except (OSError, OverflowError) as error:
        raise MetricsNotServed(listen, getattr(error, "strerror", None) or str(error)) from error
    log.info("metrics of %s at http://%s/metrics", config.home, listen.rpartition(":")[0] + f":{server.server_port}")
    signal.sigwait(ENDINGS)
    server.shutdown()
    server.server_close()
    thread.join()


def _parse(listen: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{listen}")
        if parts.hostname and parts.port is not None and parts.netloc == listen and "@" not in listen:
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise BadListenAddress(listen)
