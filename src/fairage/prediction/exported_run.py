"""Ages of faces by an exported model: `python run.py FACE.png ...`.

It needs onnxruntime, numpy and Pillow, nothing else. The pictures show the face as export.json says
under "inputs": "how_to_cut" (there "from_photograph" and "from_crop"); here they are resized only.
Where the model has several inputs, give for each face one picture an input, in their order.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

KERNELS = {
    "nearest-exact": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def main() -> None:
    """Print for each face its age, and the interval where the model is calibrated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("pictures", nargs="+", metavar="FACE", help="pictures of cut faces")
    pictures = parser.parse_args().pictures
    folder = Path(__file__).resolve().parent
    about = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    inputs = about["inputs"]
    if len(pictures) % len(inputs):
        parser.error(
            f"expected {len(inputs)} pictures a face, for {[each['name'] for each in inputs]}, "
            f"got {len(pictures)} in all"
        )
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    for start in range(0, len(pictures), len(inputs)):
        names = pictures[start : start + len(inputs)]
        try:
            values = {
                each["name"]: pixels(name, each["preprocessing"])
                for name, each in zip(names, inputs, strict=True)
            }
        except OSError as error:
            parser.error(f"expected a picture, got {names} ({error})")
        age, low, high = session.run(["age", "low", "high"], values)
        text = f"{names[0]}: {age[0]:.1f} years"
        if about["level"] is not None:
            text += f", {about['level']:.0%} interval {end(low[0])} to {end(high[0])}"
        sys.stdout.write(f"{text}\n")


def pixels(name: str, settings: dict[str, Any]) -> np.ndarray:
    """Return a picture as an input wants it, uint8 (1, height, width, 3)."""
    with Image.open(name) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGB")
    height, width, resize = settings["height"], settings["width"], settings["resize"]
    if resize is None:
        resize = [height, width]
    elif isinstance(resize, int):
        short = min(image.size)
        resize = [image.height * resize // short, image.width * resize // short]
    kernel = KERNELS[settings["resample"]]
    if (image.height, image.width) != tuple(resize):
        image = image.resize((resize[1], image.height), kernel).resize(
            (resize[1], resize[0]), kernel
        )
    values = np.asarray(image, dtype=np.uint8)
    gaps = [max(0, height - resize[0]), max(0, width - resize[1])]
    values = np.pad(values, [*((gap - gap // 2, gap // 2) for gap in gaps), (0, 0)])
    top, left = (values.shape[0] - height) // 2, (values.shape[1] - width) // 2
    return values[None, top : top + height, left : left + width]


def end(value: float) -> str:
    """Return one end of an interval; one that nothing is known of is open."""
    return f"{value:.1f}" if np.isfinite(value) else "open"


if __name__ == "__main__":
    main()
