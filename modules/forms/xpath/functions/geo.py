"""Functions over places on Earth, taken as a ball. A geopoint is ``latitude longitude [altitude [accuracy]]``, a trace and a shape
are points behind semicolons; a shape ends where it began."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from modules.contract import Refused
from modules.forms.xpath.functions.registry import function
from modules.forms.xpath.nodes import Scalar
from modules.forms.xpath.values import NAN, string

RADIUS_M: Final = 6_378_100.0  # at the equator, as ODK counts
_CIRCUMFERENCE: Final = 2 * math.pi * RADIUS_M
MOST_POINTS: Final = 20_000
MOST_PAIRS: Final = 2_000_000  # of sides that may be held against each other
Point = tuple[float, float]


@function("area(value*)", "number", "geo", "Square metres inside a geoshape or a set of geopoints.")
def _area(*values: Scalar) -> float:
    points = _points(values)
    return NAN if points is None else area(points)


@function("enclosed-area(value*)", "number", "geo", "The same as area.", since="JavaRosa")
def _enclosed_area(*values: Scalar) -> float:
    return _area(*values)


@function("distance(value*)", "number", "geo", "Metres along a geotrace, around a geoshape, or from point to point.")
def _distance(*values: Scalar) -> float:
    points = _points(values)
    return NAN if points is None else float(sum(between(a, b) for a, b in pairwise(points)))


@function("geofence(string, string)", "boolean", "geo", "Whether a geopoint lies inside a geoshape.")
def _geofence(point: str, shape: str) -> bool:
    spot, fence = _points([point]), _points([shape])
    return inside(spot[0], fence) if spot and fence else False


@function("intersects(string)", "boolean", "geo", "Whether a geotrace or geoshape crosses itself.")
def _intersects(shape: str) -> bool:
    points = _points([shape])
    return points is not None and crosses_itself(points)


def _points(values: Sequence[Scalar]) -> list[Point] | None:
    """Every point of all values; None when there is something else among them, or far too many."""
    made: list[Point] = []
    for value in values:
        for part in string(value).split(";"):
            words = part.split()
            if not words:
                continue
            try:
                numbers = [float(word) for word in words]
            except ValueError:
                return None
            if not 2 <= len(numbers) <= 4 or not (abs(numbers[0]) <= 90 and abs(numbers[1]) <= 180):
                return None
            made.append((numbers[0], numbers[1]))
    return made if len(made) <= MOST_POINTS else None


def area(points: Sequence[Point]) -> float:
    """By triangles from the first point on a map that is true to length along its parallels."""
    if len(points) < 3:
        return 0.0
    metres = _CIRCUMFERENCE / 360
    (lat0, lon0), rest = points[0], points[1:]
    flat = [((lon - lon0) * metres * math.cos(math.radians(lat)), (lat - lat0) * metres) for lat, lon in rest]
    return abs(sum(y1 * x2 - x1 * y2 for (x1, y1), (x2, y2) in pairwise(flat))) / 2


def between(a: Point, b: Point) -> float:
    """Metres along the great circle, good for near points as well (haversine)."""
    p, q = math.radians(a[0]), math.radians(b[0])
    half = math.sin((q - p) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(math.radians(b[1] - a[1]) / 2) ** 2
    return 2 * RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def inside(point: Point, fence: Sequence[Point]) -> bool:
    """How often a ray to the east crosses the fence: an odd number is inside."""
    lat, lon = point
    odd = False
    for (lat1, lon1), (lat2, lon2) in zip(fence, [*fence[1:], fence[0]], strict=True):
        if (lat1 > lat) != (lat2 > lat) and lon < (lon1 - lon2) * (lat - lat2) / (lat1 - lat2) + lon2:
            odd = not odd
    return odd


def crosses_itself(points: Sequence[Point]) -> bool:
    """Whether two sides meet elsewhere than where one follows the other; a shape's first and last side are neighbours."""
    kept = [point for at, point in enumerate(points) if at == 0 or point != points[at - 1]]
    sides = sorted((min(a[0], b[0]), max(a[0], b[0]), at, a, b) for at, (a, b) in enumerate(pairwise(kept)))
    closed = len(kept) > 3 and kept[0] == kept[-1]
    last, pairs = len(sides) - 1, 0
    for place, (_, top, i, a, b) in enumerate(sides):
        for low, _, j, c, d in sides[place + 1 :]:
            pairs += 1
            if low > top or pairs > MOST_PAIRS:
                break
            neighbours = abs(i - j) == 1 or (closed and {i, j} == {0, last})
            if _folds_back(a, b, c, d) if neighbours else _meet(a, b, c, d):
                return True
    if pairs > MOST_PAIRS:
        raise Refused("FM-311", most=MOST_PAIRS)
    return False


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    p, q, r, s = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if p * q < 0 and r * s < 0:
        return True
    return any(turn == 0 and _within(one, *side) for turn, one, side in (
        (p, c, (a, b)), (q, d, (a, b)), (r, a, (c, d)), (s, b, (c, d))
    ))  # fmt: skip


def _within(point: Point, a: Point, b: Point) -> bool:
    return min(a[0], b[0]) <= point[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= point[1] <= max(a[1], b[1])


def _folds_back(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether two sides that share a corner lie on each other."""
    corner = next((one for one in (a, b) if one in (c, d)), None)
    if corner is None:
        return False
    p, q = (b if corner == a else a), (d if corner == c else c)
    if _turn(corner, p, q) != 0:
        return False
    return (p[0] - corner[0]) * (q[0] - corner[0]) + (p[1] - corner[1]) * (q[1] - corner[1]) > 0
