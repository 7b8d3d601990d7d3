"""The top-level boxes of an MP4 file, read without decoding anything.

Only what is needed to see whether a player can start before it has the whole file. Obeys ISO/IEC
14496-12 §4.2 (size 1 announces a 64-bit size, size 0 reaches to the end of the file).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One top-level box.

    Attributes:
        kind: Four characters, such as "moov"; bytes outside Latin-1 cannot occur.
        offset: Bytes from the start of the file.
        size: Bytes, header included.
    """

    kind: str
    offset: int
    size: int


def top_level_boxes(path: Path) -> tuple[Box, ...]:
    """List the boxes of `path` in file order.

    Stops at the first box that is not well formed or reaches past the end, so the list of a
    damaged file is shorter and never wrong.

    Raises:
        OSError: The file cannot be read.
    """
    end = path.stat().st_size
    boxes: list[Box] = []
    offset = 0
    with path.open("rb") as file:
        while offset + 8 <= end:
            file.seek(offset)
            header = file.read(16)
            size = int.from_bytes(header[:4])
            smallest = 8
            if size == 1:
                size = int.from_bytes(header[8:16])
                smallest = 16
            elif size == 0:
                size = end - offset
            if size < smallest or offset + size > end:
                break
            boxes.append(Box(kind=header[4:8].decode("latin-1"), offset=offset, size=size))
            offset += size
    return tuple(boxes)


def is_faststart(path: Path) -> bool:
    """Whether the index (`moov`) lies before the media (`mdat`), so that playing can start early.

    Raises:
        OSError: The file cannot be read.
    """
    kinds = [box.kind for box in top_level_boxes(path)]
    if "moov" not in kinds:
        return False
    return "mdat" not in kinds or kinds.index("moov") < kinds.index("mdat")
