"""Whether the bytes of an image are a picture: decoded to the end, for a broken one often has a good beginning.

What passes must not break TensorFlow's decoder, which ends the run. Of a PNG it holds every checksum against the data; Pillow, when it
decodes, only those before the pixels.
"""

from __future__ import annotations

import io

from PIL import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

# The largest cameras of phones make 108 million; decoded, so many take some 400 MB.
MOST_PIXELS = 120_000_000
# As many pixels hardly compress to more; a file beyond it is not even read.
MOST_BYTES = 256 * 2**20
_KINDS: dict[bytes, type[ImageFile.ImageFile]] = {b"\xff\xd8\xff": JpegImageFile, b"\x89PNG\r\n\x1a\n": PngImageFile}
# A PNG's last chunk is always the same; Pillow looks for its name alone.
_PNG_END = b"\0\0\0\0IEND\xaeB\x60\x82"


def fault(content: bytes) -> str | None:
    """What is wrong with an image's bytes, in a few words; None where nothing is."""
    if not content:
        return "zero bytes"
    kind = next((kind for start, kind in _KINDS.items() if content.startswith(start)), None)
    if kind is None:
        return "neither JPEG nor PNG"
    try:
        if kind is PngImageFile and (why := _png_fault(content)):
            return why
        # Not through Image.open: it warns of large images by a setting of the whole process.
        with kind(io.BytesIO(content)) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                return f"{width} x {height} pixels, more than {MOST_PIXELS:,}"
            image.load()
    except Exception as error:  # noqa: BLE001 - whatever a decoder raises on broken bytes, the image is broken
        return f"cannot be decoded: {' '.join(str(error).split())[:80] or type(error).__name__}"
    return None


def _png_fault(content: bytes) -> str | None:
    """Of its checksums and its end; what else is wrong is raised. A file that was verified cannot be decoded, hence one of its own."""
    with PngImageFile(io.BytesIO(content)) as image:
        image.verify()
    return None if _PNG_END in content else "cannot be decoded: its end is damaged"
