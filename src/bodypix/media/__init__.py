"""Moving pictures: where frames come from and where they go.

from bodypix.media import open_sink, open_source

with open_source("talk.mp4") as source, open_sink("out.mp4", like=source) as sink:
    for frame in source:
        sink.write(frame.replaced(255 - frame.image))
"""

from __future__ import annotations

from bodypix.media.frames import Frame, Sink, Source
from bodypix.media.sinks import open_sink
from bodypix.media.sources import open_source

__all__ = ["Frame", "Sink", "Source", "open_sink", "open_source"]
