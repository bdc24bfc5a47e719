"""How what a graph sees is cut from a picture, in words and numbers, for any other language."""

from typing import Any

from fairage.faces.preprocessing import Preprocessing
from fairage.faces.views import TEMPLATE, TEMPLATE_SIDE, Aligned, CentreCrop, Framing, View
from fairage.prediction.face_input import FaceInput

_EDGE = "Beyond the picture's edge, the nearest pixel of the picture goes on."
_POINTS = [
    "left eye, as it appears in the picture",
    "right eye",
    "tip of the nose",
    "left corner of the mouth",
    "right corner of the mouth",
]


def how_to_cut(each: FaceInput, framing: Framing | None) -> dict[str, Any]:
    """Return how an input is cut: from a photograph, and from a picture that shows one face.

    Args:
        each: The input.
        framing: How the pictures of the training frame a face; None where that is not known.

    Examples:
        >>> from fairage.faces.views import Whole
        >>> small = Preprocessing(height=112, width=112)
        >>> words = how_to_cut(FaceInput("face0", Aligned(1.1), Whole(), small), None)
        >>> words["from_photograph"]["target_points"][0], words["from_crop"]["steps"]
        ([39.9042, 52.0875], ['Take the whole picture.'])
    """
    side = each.preprocessing.side
    from_photograph = _of_view(each.photograph, side)
    if not each.photograph.needs_landmarks:
        from_photograph = _framed(from_photograph, framing)
    return {
        "from_photograph": from_photograph,
        "from_crop": _of_view(each.crop, side),
        "then": _sizing(each.preprocessing),
        "pixels": "uint8, (n, height, width, 3), red, green, blue, 0 to 255; the graph normalises.",
    }


def _of_view(view: View, side: int) -> dict[str, Any]:
    if isinstance(view, Aligned):
        return _aligned(view, side)
    if isinstance(view, CentreCrop):
        share = f"{view.share:g}"
        steps = [
            f"Take the middle of the picture: height times {share} and width times {share}, both "
            "rounded to whole pixels (halves to even) and at least 1.",
            "Its top is (height - new height) / 2, its left (width - new width) / 2, rounded down.",
        ]
        return {"steps": steps, "share": view.share}
    return {"steps": ["Take the whole picture."]}


def _aligned(view: Aligned, side: int) -> dict[str, Any]:
    middle = TEMPLATE_SIDE / 2
    target = ((TEMPLATE - middle) / view.margin + middle) * (side / TEMPLATE_SIDE)
    target -= (0, view.down * side)
    steps = [
        "Find the five points of the face, each x and y in pixels of the picture, 0 being the "
        "middle of the first pixel.",
        f"Where they are to lie in a picture of {side} x {side} pixels is target_points: "
        f"((template - {middle:g}) / margin + {middle:g}) * {side} / {TEMPLATE_SIDE}, and "
        f"down * {side} less in y.",
        "Find the similarity transform (a turn, one scale, a shift; never mirrored) that brings "
        "the points nearest to target_points: least sum of squared distances.",
        "If its scale is below 0.5, first shrink the picture by that scale, each new pixel being "
        "the mean of the area that it covers, the points with it, and find the transform again.",
        f"Warp the picture into {side} x {side} pixels by that transform, with bilinear "
        f"interpolation. {_EDGE}",
        "Where no face is found in a picture that shows one, take the middle instead, 0.7 of its "
        "height and width.",
    ]
    return {
        "steps": steps,
        "points": _POINTS,
        "template": TEMPLATE.tolist(),
        "template_side": TEMPLATE_SIDE,
        "margin": view.margin,
        "down": view.down,
        "side": side,
        "target_points": target.round(4).tolist(),
    }


def _framed(rest: dict[str, Any], framing: Framing | None) -> dict[str, Any]:
    if framing is None:
        steps = [
            "It is not known how the pictures of the training frame a face: give pictures that "
            "show one face framed as those do, and go on with from_crop."
        ]
        return {"steps": steps}
    steps = [
        "Find the box of the face: left, top, width, height in pixels.",
        "rows = box height / share, rounded, at least 1; columns = rows * aspect, rounded, at "
        "least 1.",
        "Cut rows x columns pixels whose left is box left + box width / 2 - x * columns and whose "
        f"top is box top + box height / 2 - y * rows, rounded. {_EDGE}",
        *rest["steps"],
    ]
    about = {"share": framing.share, "x": framing.x, "y": framing.y, "aspect": framing.aspect}
    return {**rest, "steps": steps, "framing": about}


def _sizing(settings: Preprocessing) -> list[str]:
    height, width = settings.height, settings.width
    how = f"{settings.resample} interpolation"
    if settings.resample != "nearest-exact":
        how += " that smooths where it shrinks, as Pillow does, along rows first, then columns"
    if settings.resize is None:
        return [f"Resize to height {height} and width {width}, with {how}."]
    if isinstance(settings.resize, tuple):
        first = f"Resize to height {settings.resize[0]} and width {settings.resize[1]}, with {how}."
    else:
        first = (
            f"Resize so that the shorter side has {settings.resize} pixels and the longer one "
            f"longer * {settings.resize} / shorter, rounded down, with {how}."
        )
    cut = f"Cut out the middle, height {height} and width {width}; what is missing is black."
    return [first, cut]
