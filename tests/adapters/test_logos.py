"""Pictures of operators become logos that hold pixels and nothing else."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from menshen.adapters.logos import PillowLogoMaker
from menshen.core.pages.logos import KINDS, MOST_BYTES, MOST_SIDE, Logo

MAKER = PillowLogoMaker()
KIND_OF = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


def written(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(logo: Logo | None) -> Image.Image:
    assert logo is not None
    assert logo.kind in KINDS
    assert len(logo.content) <= MOST_BYTES
    found = Image.open(BytesIO(logo.content))
    assert Image.MIME[found.format or ""] == logo.kind
    found.load()
    return found


@pytest.mark.parametrize("kind", sorted(KIND_OF))
def test_a_picture_keeps_its_type_and_its_look(kind: str) -> None:
    logo = MAKER.make(written(Image.new("RGB", (40, 20), "#2c4a9e"), kind))
    assert logo is not None
    assert logo.kind == KIND_OF[kind]
    found = opened(logo)
    assert found.size == (40, 20)
    colour: Any = found.convert("RGB").getpixel((20, 10))
    assert all(abs(a - b) <= 6 for a, b in zip(colour, (0x2C, 0x4A, 0x9E), strict=True))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pictures_of_any_mode_are_taken(mode: str) -> None:
    assert opened(MAKER.make(written(Image.new(mode, (30, 30)), "PNG"))).size == (30, 30)


def test_what_is_transparent_stays_so() -> None:
    for kind in ("PNG", "WEBP"):
        found = opened(MAKER.make(written(Image.new("RGBA", (10, 10), (9, 9, 9, 0)), kind)))
        pixel: Any = found.convert("RGBA").getpixel((5, 5))
        assert pixel[3] == 0


def test_a_large_picture_is_made_smaller_and_keeps_its_shape() -> None:
    found = opened(MAKER.make(written(Image.new("RGB", (2000, 1000)), "PNG")))
    assert found.size == (MOST_SIDE, MOST_SIDE // 2)


def test_a_picture_that_would_be_too_large_when_it_is_written_anew_is_made_smaller() -> None:
    noise = Image.frombytes("RGB", (400, 400), Random(7).randbytes(400 * 400 * 3))
    given_ = written(noise, "WEBP", quality=1)
    assert len(given_) <= MOST_BYTES
    found = opened(MAKER.make(given_))
    assert max(found.size) <= 400


def test_metadata_profiles_and_further_frames_are_left_out() -> None:
    info = PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>")
    exif = Image.Exif()
    exif[0x010E] = "SECRET PLACE"
    png = written(Image.new("RGB", (9, 9)), "PNG", pnginfo=info, icc_profile=b"SECRET PROFILE", exif=exif)
    jpeg = written(Image.new("RGB", (9, 9)), "JPEG", exif=exif, comment=b"SECRET COMMENT")
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    webp = written(frames[0], "WEBP", save_all=True, append_images=frames[1:], exif=exif)
    for given_ in (png, jpeg, webp):
        assert b"SECRET" in given_
        logo = MAKER.make(given_)
        found = opened(logo)
        assert logo is not None
        assert not any(word in logo.content for word in (b"SECRET", b"script", b"EXIF", b"Exif", b"iCCP"))
        assert getattr(found, "n_frames", 1) == 1


def test_bytes_behind_a_picture_are_left_out() -> None:
    logo = MAKER.make(written(Image.new("RGB", (9, 9)), "PNG") + b"<script>alert(1)</script>")
    assert logo is not None
    assert b"script" not in logo.content


def test_a_picture_that_a_camera_turned_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert opened(MAKER.make(written(Image.new("RGB", (40, 20)), "JPEG", exif=exif))).size == (20, 40)


def bomb(width: int, height: int) -> bytes:
    """Return a small PNG that says it is large."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(min((width + 1) * height, 5_000_000)), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_bombs_are_refused() -> None:
    assert MAKER.make(bomb(2048, 2048)) is not None
    for width, height in ((2049, 2048), (12_000, 9_000), (30_000, 30_000), (0x7FFFFFFF, 0x7FFFFFFF)):
        assert MAKER.make(bomb(width, height)) is None


@pytest.mark.parametrize(
    "given_",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x10\x00\x00\x00WEBPVP8 ",
        b"\xff\xd8\xff\xe0",
    ],
)
def test_what_is_no_such_picture_is_refused(given_: bytes) -> None:
    assert MAKER.make(given_) is None


def test_a_file_that_is_too_large_is_refused() -> None:
    small = written(Image.new("RGB", (9, 9)), "PNG")
    assert MAKER.make(small + bytes(MOST_BYTES - len(small))) is not None
    assert MAKER.make(small + bytes(MOST_BYTES - len(small) + 1)) is None


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(KIND_OF)), st.data())
def test_broken_pictures_never_raise(kind: str, data: st.DataObject) -> None:
    good = bytearray(written(Image.new("RGB", (24, 24), "red"), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    made = MAKER.make(bytes(good[: data.draw(st.integers(0, len(good)))]))
    assert made is None or made.kind in KINDS
