"""From paths that the user names to batches of packets: one pass, flat memory, nothing written to disk.

`find_sources` says what there is to load, `estimate` how much that is, `open_packets` reads it::

    for source in find_sources([Path("nights")]):
        with open_packets(source) as reader:
            for batch in reader:
                ...
        print(reader.sha256, reader.members)
"""

from ingest.tarballs.batches import Batch
from ingest.tarballs.estimating import Estimate, estimate
from ingest.tarballs.reader import PacketReader, open_packets
from ingest.tarballs.sources import Source, find_sources

__all__ = ["Batch", "Estimate", "PacketReader", "Source", "estimate", "find_sources", "open_packets"]
