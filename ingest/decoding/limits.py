"""What is accepted at most of a packet, so that none can take memory or time without end."""

from __future__ import annotations

MAX_PACKET = 8 << 20  # bytes of a packet, packed or unpacked; a hundred times what surveys send
MAX_RATIO = 20  # unpacked to packed bytes of a record; 2000 packets of 8 MiB each would fill any memory
SMALL = 256 << 10  # bytes; below it, no ratio is too large
MAX_HEADER = 1 << 20  # bytes of a packet's header, some of which are remembered; surveys have 25 KB
MAX_PARTS = 1000  # entries of metadata, or blocks; packets have two and one
MAX_DEPTH = 32  # types within each other in a schema; surveys have 4
MAX_NODES = 5000  # types in a schema, each counted wherever it is used; surveys have a few hundred
MAX_SYMBOL = 200  # characters of a word of an enum
MAX_ITEMS = 10_000  # of one wanted array in one packet; histories have a few hundred
MAX_HEADERS = 32  # different headers, and schemas, remembered; a night has one or two
