"""Draws synthetic leaves: a cassava-like leaf on a ground, healthy or with the marks of one of four diseases.

They are no photographs and no substitute for any. Each kind has marks that a person can tell apart:

cbb      bacterial blight: dark, angular spots with a pale halo
cbsd     brown streak disease: brown streaks along the veins, yellow beside them
cgm      green mottle: many small pale green flecks
cmd      mosaic disease: large bright yellow patches
healthy  none of these
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from pipeline.use_cases.leaves.features import CLASSES

Colour = tuple[int, int, int]
Point = tuple[float, float]
Random = np.random.Generator

PER_KIND = 120
_SEED = 17
_CANVAS = 256
_SIDES = (96, 321)
_SMOOTH = Image.Resampling.BILINEAR


def write(folder: Path, per_kind: int = PER_KIND) -> None:
    """Draw so many of each kind into a folder of its name, the same ones every time."""
    for place, kind in enumerate(CLASSES):
        (folder / kind).mkdir()
        for number in range(per_kind):
            random = np.random.default_rng([_SEED, place, number])
            leaf(kind, random).save(folder / kind / f"{number:04d}.jpg", quality=int(random.integers(70, 96)))


def leaf(kind: str, random: Random) -> Image.Image:
    """A picture of a leaf, 96 to 320 pixels wide and high.

    Raises:
        KeyError: there is no such kind.
    """
    picture, mask, veins = _plain_leaf(random)
    _MARKS[kind](picture, veins, random)
    ground = _ground(random)
    ground.paste(picture, mask=mask.filter(ImageFilter.BoxBlur(0.8)))
    width, height = (int(side) for side in random.integers(*_SIDES, size=2))
    return ground.resize((width, height), _SMOOTH)


def _plain_leaf(random: Random) -> tuple[Image.Image, Image.Image, list[tuple[Point, Point]]]:
    """(a green canvas with veins, the leaf's outline as a mask, the veins from the stalk to the tips)."""
    centre = (_CANVAS / 2 + random.uniform(-18, 18), _CANVAS * 0.62 + random.uniform(-18, 18))
    turn, lobes = random.uniform(-math.pi, math.pi), int(random.integers(5, 8))
    green = (int(random.integers(30, 70)), int(random.integers(105, 150)), int(random.integers(25, 60)))
    picture = _cloth(green, 14, random, _CANVAS)
    mask, veins = Image.new("L", picture.size), []
    outline, lines = ImageDraw.Draw(mask), ImageDraw.Draw(picture)
    light: Colour = (green[0] + 45, green[1] + 40, green[2] + 35)
    for number in range(lobes):
        angle = turn + (number - (lobes - 1) / 2) * (4.4 / lobes)
        length = random.uniform(95, 125) * (1 - 0.1 * abs(number - (lobes - 1) / 2))
        tip = (centre[0] + math.sin(angle) * length, centre[1] - math.cos(angle) * length)
        outline.polygon(_lobe(centre, tip, length * random.uniform(0.2, 0.27)), fill=255)
        lines.line((centre, tip), fill=light, width=3)
        veins.append((centre, tip))
    return picture, mask, veins


def _lobe(start: Point, tip: Point, half: float) -> list[Point]:
    """The outline of one lobe, widest beyond its middle."""
    along, across = (tip[0] - start[0], tip[1] - start[1]), (tip[1] - start[1], start[0] - tip[0])
    length = math.hypot(*along)
    shares = [share / 12 for share in range(13)]
    widths = [half * math.sin(math.pi * share**0.8) + 4 * (1 - share) for share in shares]
    sides = []
    for sign, steps in ((1, range(13)), (-1, range(12, -1, -1))):
        sides += [
            (
                start[0] + along[0] * shares[step] + sign * across[0] / length * widths[step],
                start[1] + along[1] * shares[step] + sign * across[1] / length * widths[step],
            )
            for step in steps
        ]
    return sides


def _ground(random: Random) -> Image.Image:
    """Soil, straw or other plants, out of focus."""
    colours: list[Colour] = [(112, 86, 62), (150, 128, 96), (84, 98, 66), (70, 66, 62)]
    return _cloth(colours[int(random.integers(len(colours)))], 34, random, _CANVAS // 4).resize((_CANVAS, _CANVAS), _SMOOTH)


def _cloth(colour: Colour, contrast: float, random: Random, side: int) -> Image.Image:
    """A square of one colour, lighter and darker in large and in small flecks."""
    rough = np.asarray(Image.fromarray(_noise(12, random)).resize((side, side), _SMOOTH), np.float32)
    fine = np.asarray(Image.fromarray(_noise(96, random)).resize((side, side), _SMOOTH), np.float32)
    shade = (rough * 0.7 + fine * 0.3 - 128) / 128 * contrast
    return Image.fromarray(np.clip(np.array(colour, np.float32) + shade[:, :, None], 0, 255).astype(np.uint8))


def _noise(side: int, random: Random) -> np.ndarray[Any, Any]:
    return random.integers(0, 256, (side, side)).astype(np.uint8)


def _patches(side: int, share: float, random: Random) -> Image.Image:
    """A mask of irregular patches that cover a share of the canvas; the more `side`, the smaller they are."""
    field = Image.fromarray(_noise(side, random)).resize((_CANVAS, _CANVAS), _SMOOTH)
    limit = float(np.quantile(np.asarray(field), 1 - share))
    return field.point([255 if value > limit else 0 for value in range(256)]).filter(ImageFilter.BoxBlur(1))


def _on_vein(veins: list[tuple[Point, Point]], random: Random, aside: float) -> tuple[Point, float]:
    """A place on some vein or near it, with the vein's direction."""
    (x, y), (tip_x, tip_y) = veins[int(random.integers(len(veins)))]
    share, angle = random.uniform(0.15, 0.9), math.atan2(tip_y - y, tip_x - x)
    away = random.uniform(-aside, aside)
    return (x + (tip_x - x) * share - math.sin(angle) * away, y + (tip_y - y) * share + math.cos(angle) * away), angle


def _spots(picture: Image.Image, veins: list[tuple[Point, Point]], random: Random) -> None:
    draw = ImageDraw.Draw(picture)
    for _ in range(int(random.integers(22, 40))):
        (x, y), _ = _on_vein(veins, random, 16)
        radius, corners = random.uniform(4, 8), int(random.integers(5, 8))
        draw.ellipse((x - radius * 1.5, y - radius * 1.5, x + radius * 1.5, y + radius * 1.5), fill=(176, 178, 84))
        points = [(x + math.cos(turn) * radius, y + math.sin(turn) * radius) for turn in np.sort(random.uniform(0, 2 * math.pi, corners))]
        draw.ellipse((x - radius * 0.8, y - radius * 0.8, x + radius * 0.8, y + radius * 0.8), fill=(48, 34, 22))
        draw.polygon(points, fill=(48, 34, 22))


def _streaks(picture: Image.Image, veins: list[tuple[Point, Point]], random: Random) -> None:
    pale = Image.new("L", picture.size)
    draw = ImageDraw.Draw(pale)
    for start, tip in veins:
        draw.line((start, tip), fill=int(random.integers(120, 200)), width=int(random.integers(14, 24)))
    picture.paste((178, 170, 60), mask=pale.filter(ImageFilter.BoxBlur(5)))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(random.integers(24, 40))):
        (x, y), angle = _on_vein(veins, random, 7)
        reach = random.uniform(10, 22)
        ends = (x - math.cos(angle) * reach, y - math.sin(angle) * reach, x + math.cos(angle) * reach, y + math.sin(angle) * reach)
        draw.line(ends, fill=(112, 62, 26), width=int(random.integers(3, 6)))


def _mottle(picture: Image.Image, veins: list[tuple[Point, Point]], random: Random) -> None:
    del veins
    picture.paste((164, 208, 128), mask=_patches(int(random.integers(36, 52)), random.uniform(0.3, 0.45), random))


def _mosaic(picture: Image.Image, veins: list[tuple[Point, Point]], random: Random) -> None:
    del veins
    patches = _patches(int(random.integers(10, 15)), random.uniform(0.4, 0.6), random)
    picture.paste((226, 206, 56), mask=ImageChops.multiply(patches, Image.new("L", picture.size, int(random.integers(205, 250)))))


def _nothing(picture: Image.Image, veins: list[tuple[Point, Point]], random: Random) -> None:
    del picture, veins, random


_MARKS = {"cbb": _spots, "cbsd": _streaks, "cgm": _mottle, "cmd": _mosaic, "healthy": _nothing}
