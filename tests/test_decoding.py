"""One file as an image: its pixels after cropping, padding, turning, flattening and scaling."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from common.datasets.photos.decoding import Decoding
from common.errors import InputError

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (4, 4, 3), dtype=np.uint8)


def saved(pixels, kind="PNG", mode=None, **options):
    """An open file with these pixels."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.asarray(pixels))
    file = BytesIO()
    (image.convert(mode) if mode else image).save(file, kind, **options)
    file.seek(0)
    return file


def decode(file, size=4, box=None, **options):
    return Decoding.of(size, **options)(file, box)


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def test_picture_of_the_wanted_size_is_kept():
    for kind in ("PNG", "BMP", "WEBP"):
        image = decode(saved(NOISE, kind, lossless=True))
        np.testing.assert_array_equal(image, NOISE)
        assert image.dtype == np.uint8 and image.flags.writeable


def test_crop_takes_the_middle():
    wide = RNG.integers(0, 256, (4, 10, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decode(saved(wide)), wide[:, 3:7])
    np.testing.assert_array_equal(decode(saved(wide.swapaxes(0, 1))), wide.swapaxes(0, 1)[3:7])
    np.testing.assert_array_equal(decode(saved(wide), (4, 8)), wide[:, 1:9])


@pytest.mark.parametrize("size", [28, 100, 150, 224])
def test_no_shape_is_refused_by_a_rounding(size, monkeypatch):
    resize = Image.Image.resize

    def one_pixel(image, size, resample, box):
        """Pillow's own checks of the box, without its arithmetic."""
        pixel = resize(image, (1, 1), Image.Resampling.NEAREST, box).getpixel((0, 0))
        return Image.new(image.mode, size, pixel)

    monkeypatch.setattr(Image.Image, "resize", one_pixel)
    for side in range(1, 400):
        tall = np.full((side + 9, side), side % 256, np.uint8)
        for picture in (tall, tall.T):
            assert (decode(saved(picture, compress_level=0), size, channels=1) == side % 256).all()
    with pytest.raises(ValueError, match=r"(?i)box can't exceed"):
        one_pixel(Image.new("L", (4, 4)), (8, 8), None, (0, 0, 4 + 1e-5, 4))


def test_part_of_the_crop():
    picture = RNG.integers(0, 256, (8, 12, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decode(saved(picture), part=0.5), picture[2:6, 4:8])


def test_pad_shows_all_of_it_on_white():
    wide = RNG.integers(0, 256, (4, 8, 3), dtype=np.uint8)
    image = decode(saved(wide), 8, fit="pad")
    np.testing.assert_array_equal(image[2:6], wide)
    assert (image[:2] == 255).all() and (image[6:] == 255).all()
    # A line stays visible, one pixel wide.
    image = decode(saved(np.zeros((100, 1, 3), np.uint8)), 8, fit="pad")
    assert (image[:, 3] == 0).all() and (image[:, 4:] == 255).all()


def test_box_is_shown_whole_and_what_is_around_it():
    picture = RNG.integers(0, 256, (8, 12, 3), dtype=np.uint8)
    # 4×2 pixels, and one row above and below them.
    np.testing.assert_array_equal(decode(saved(picture), box=(2, 3, 6, 5)), picture[2:6, 2:6])
    # At the border the rows come from where there are some.
    np.testing.assert_array_equal(decode(saved(picture), box=(8, 0, 12, 2)), picture[:4, 8:])
    padded = decode(saved(picture), box=(2, 3, 6, 5), fit="pad")
    np.testing.assert_array_equal(padded[1:3], picture[3:5, 2:6])
    assert (padded[0] == 255).all()
    with pytest.raises(ValueError, match=r"its box .* lies outside its 12×8 pixels"):
        decode(saved(picture), box=(12, 3, 20, 5))


TURNED = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", TURNED)
def test_rotation_of_the_exif_data(orientation):
    image = decode(saved(NOISE, exif=exif(orientation)))
    np.testing.assert_array_equal(image, TURNED[orientation](NOISE))


def test_turned_jpeg_is_cropped_upright():
    stored = np.zeros((240, 480, 3), np.uint8)
    stored[:, :120] = 255  # the top of the upright 480×240 picture, which the crop leaves out
    stored[:120, 120:] = (255, 0, 0)  # its right
    image = decode(saved(stored, "JPEG", quality=95, exif=exif(6)), 16).astype(int)
    # Into the first row the antialiasing mixes a little of what is above it.
    np.testing.assert_allclose(image[1:, 9:], np.broadcast_to((254, 0, 0), (15, 7, 3)), atol=4)
    assert image[1:, :7].max() < 5


def test_damaged_exif_data_leave_the_picture():
    file = saved(NOISE, "PNG", exif=b"Exif\0\0XX*\0 and no more")
    np.testing.assert_array_equal(decode(file), NOISE)


def test_transparency_is_white():
    alpha = np.array([0, 64, 128, 255], np.uint8).repeat(4).reshape(4, 4)
    image = decode(saved(np.dstack([NOISE, alpha])))
    share = alpha[..., None] / 255
    np.testing.assert_allclose(image, NOISE * share + 255 * (1 - share), atol=1)
    grey = decode(saved(np.dstack([NOISE[..., 0], alpha])), channels=1)
    np.testing.assert_allclose(grey, NOISE[..., :1] * share + 255 * (1 - share), atol=1)
    np.testing.assert_array_equal(image[:1], 255)


def test_transparent_colour_of_a_palette_and_of_rgb():
    palette = Image.frombytes("P", (2, 2), bytes([0, 1, 1, 0]))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    for kind in ("PNG", "GIF"):
        image = decode(saved(palette, kind, transparency=1), 2)
        assert image[0, 0].tolist() == [10, 20, 30] and image[0, 1].tolist() == [255] * 3
    image = decode(saved(palette, "PNG", mode="RGB", transparency=(10, 20, 30)), 2)
    assert image[0, 0].tolist() == [255] * 3 and image[0, 1].tolist() == [200, 100, 50]


def test_sixteen_bits_are_scaled():
    deep = np.array([[0, 257, 32896, 65535]] * 4, np.uint16)
    image = decode(saved(deep))
    assert image.shape == (4, 4, 3) and image[2, :, 1].tolist() == [0, 1, 128, 255]
    # The transparent level is one of the 16 bits: 32897 looks the same and is opaque.
    deep[0] = 32897
    for level, row in [(0, [255, 1, 128, 255]), (32896, [0, 1, 255, 255])]:
        image = decode(saved(deep, transparency=level))
        assert image[2, :, 1].tolist() == row and image[0, :, 1].tolist() == [128] * 4
        turned = decode(saved(deep, transparency=level, exif=exif(3)), channels=1)
        assert turned[1, ::-1, 0].tolist() == row


def test_cmyk():
    cyan_and_black = np.zeros((16, 16, 4), np.uint8)
    cyan_and_black[:8, :, 0] = 255
    cyan_and_black[8:, :, 3] = 255
    image = decode(saved(Image.fromarray(cyan_and_black, "CMYK"), "JPEG", quality=100), 16)
    np.testing.assert_allclose(image[:7], np.broadcast_to([0, 255, 255], (7, 16, 3)), atol=3)
    np.testing.assert_allclose(image[9:], 0, atol=3)


def test_grey_and_colour():
    grey = decode(saved(NOISE[..., 0]))
    np.testing.assert_array_equal(grey, NOISE[..., :1].repeat(3, axis=2))
    assert decode(saved(np.eye(4, dtype=bool)))[..., 0].tolist() == (255 * np.eye(4)).tolist()
    image = decode(saved(NOISE), channels=1)
    assert image.shape == (4, 4, 1)
    np.testing.assert_allclose(image[..., 0], NOISE @ [0.299, 0.587, 0.114], atol=1)


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP"):
        file = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        assert (decode(file)[..., 0] > 250).all()


@pytest.mark.parametrize(("width", "height"), [(128, 96), (515, 389), (1000, 640), (96, 700)])
def test_large_jpeg_is_scaled_in_its_decoder_without_a_shift(width, height):
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    smooth = np.dstack([x, y, 255 - x]).round().astype(np.uint8)
    file = saved(smooth, "JPEG", quality=95)
    image = decode(file, 16).astype(int)
    side = min(width, height)
    middles = (np.arange(16) + 0.5) / 16 * side - 0.5
    across = (middles + (width - side) / 2) / (width - 1) * 255
    down = (middles + (height - side) / 2) / (height - 1) * 255
    np.testing.assert_allclose(image[..., 0], np.broadcast_to(across, (16, 16)), atol=4)
    np.testing.assert_allclose(image[..., 1], np.broadcast_to(down[:, None], (16, 16)), atol=4)


def test_jpeg_is_not_decoded_larger_than_needed(monkeypatch):
    from PIL import JpegImagePlugin

    decoded = []
    load = JpegImagePlugin.JpegImageFile.load
    monkeypatch.setattr(
        JpegImagePlugin.JpegImageFile, "load", lambda i: (decoded.append(i.size), load(i))[1]
    )
    for width, height, size in [(178, 218, 64), (178, 218, 100), (1000, 800, 64), (8, 8, 8)]:
        decode(saved(np.zeros((height, width, 3), np.uint8), "JPEG"), size)
    assert list(dict.fromkeys(decoded)) == [(89, 109), (178, 218), (125, 100), (8, 8)]


def bomb(width, height):
    """A PNG that says it is that large."""
    file = b"\x89PNG\r\n\x1a\n"
    for kind, data in [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1000))),
        (b"IEND", b""),
    ]:
        file += struct.pack(">I", len(data)) + kind + data
        file += struct.pack(">I", zlib.crc32(kind + data))
    return BytesIO(file)


def test_decompression_bomb_is_not_decoded():
    with pytest.raises(Image.DecompressionBombError):
        decode(bomb(50_000, 50_000))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size=0 is no size"),
        ({"size": (64, -1)}, r"size=\(64, -1\) is no size"),
        ({"size": 64.0}, "size=64.0 is no size"),
        ({"size": (1, 2, 3)}, "give a side, or"),
        ({"size": 8, "channels": 4}, "channels=4: give 3 for colour or 1 for grey"),
        ({"size": 8, "fit": "stretch"}, "fit='stretch' is unknown: give one of crop, pad"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(InputError, match=message):
        Decoding.of(**options)
