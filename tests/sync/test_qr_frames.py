"""QR frames: any order, any number of times, read from real pixels; what is foreign or wrong does no harm."""

from __future__ import annotations

import io
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import qrframes, qrpicture
from sync.errors import Known, SalaError
from sync.limits import MAX_QR
from sync.qrframes import Collector


@given(st.binary(max_size=5_000), st.integers(1, 900), st.randoms())
def test_any_order_and_repetition(data: bytes, piece: int, dice: random.Random) -> None:
    frames = qrframes.encode(data, piece) if len(data) / piece < 1_500 else qrframes.encode(data)
    shuffled = frames + dice.sample(frames, len(frames) // 2)
    dice.shuffle(shuffled)
    assert qrframes.collect(shuffled) == data


@given(st.binary(min_size=3_000, max_size=4_000))
def test_a_missing_one_is_said(data: bytes) -> None:
    frames = qrframes.encode(os.urandom(500) + data, 300)
    with pytest.raises(Known) as known:
        qrframes.collect(frames[1:])
    assert known.value.code == "SY-454" and known.value.values["missing"] == 1


@given(
    st.text(max_size=200)
    | st.from_regex(r"SALA:Q1:[0-9A-F]{16}:[0-9]{1,4}:[0-9]{1,4}:[0-9A-Z $%*+./:-]{0,60}", fullmatch=True)
)
def test_nothing_foreign_breaks_a_collection(text: str) -> None:
    collector = Collector()
    collector.add(text)
    with pytest.raises(SalaError):
        collector.data()


def test_another_set_begins_anew_and_bounds_hold() -> None:
    first, second = qrframes.encode(os.urandom(2_000)), qrframes.encode(os.urandom(2_000))
    collector = Collector()
    assert [collector.add(text) for text in (first[0], first[0], second[0], "x")] == [True, False, True, False]
    assert collector.missing == len(second) - 1
    with pytest.raises(Known) as known:
        qrframes.encode(os.urandom(MAX_QR + 1))
    assert known.value.code == "SY-451"
    with pytest.raises(Known) as none:
        qrframes.collect([])
    assert none.value.code == "SY-452"
    assert qrframes.read("SALA:Q1:" + "A" * 16 + ":3:2:00") is None  # more than there are
    assert qrframes.read("SALA:Q1:" + "A" * 16 + ":1:2:::") is None  # no base45


def test_pieces_that_do_not_fit_together_are_refused() -> None:
    frames = qrframes.encode(os.urandom(1_500))
    name = frames[0].split(":")[2]
    swapped = [frame.replace(name, "0" * 16) for frame in frames]
    with pytest.raises(SalaError) as refused:
        qrframes.collect(swapped)
    assert refused.value.code == "SY-310"


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 3_000))
def test_read_back_from_pixels(size: int) -> None:
    data = os.urandom(size)
    frames = qrframes.encode_small(data)
    assert qrframes.collect(qrpicture.texts(qrpicture.moving(frames))) == data
    assert [text for frame in frames[:3] for text in qrpicture.texts(qrpicture.png(frame))] == frames[:3]


def test_an_outbox_of_42_kilobytes_is_54_codes_and_reads_from_a_moving_picture() -> None:
    frames = qrframes.encode(os.urandom(42_000))
    assert len(frames) == 54 and max(map(len, frames)) <= 1_249  # a code of version 20-L
    assert len(frames) / qrframes.PER_SECOND < 7  # one pass
    assert len(qrframes.collect(qrpicture.texts(qrpicture.moving(frames)))) == 42_000


def test_a_photograph_reads_too() -> None:
    """Slanted, grey, noisy, with a margin of something else, saved as JPEG."""
    from PIL import Image, ImageFilter

    frames = qrframes.encode(os.urandom(260), 320)
    code = Image.open(io.BytesIO(qrpicture.png(frames[0]))).convert("L")
    paper = Image.new("L", (code.width * 2, code.height * 2), 170)
    paper.paste(code.point(lambda v: 60 + v * 0.6), (code.width // 3, code.height // 3))
    photo = paper.rotate(7, fillcolor=150, resample=Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(1.2))
    made = io.BytesIO()
    photo.save(made, "JPEG", quality=60)
    assert qrpicture.texts(made.getvalue()) == frames


@pytest.mark.parametrize("wrong", [b"", b"GIF89a", b"not a picture" * 10, b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_what_is_no_picture_is_said(wrong: bytes) -> None:
    with pytest.raises(Known) as known:
        qrpicture.texts(wrong)
    assert known.value.code == "SY-453"


def test_a_picture_without_a_code_and_one_that_is_too_large() -> None:
    from PIL import Image

    made = io.BytesIO()
    Image.new("L", (300, 200), 255).save(made, "PNG")
    with pytest.raises(Known) as known:
        qrpicture.texts(made.getvalue())
    assert known.value.code == "SY-452"
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000), 1).save(bomb, "PNG")
    with pytest.raises(Known) as large:
        qrpicture.texts(bomb.getvalue())
    assert large.value.code == "SY-453"
