"""Write docs/image-processors.md: which image models are preprocessed as in transformers.

Usage: python scripts/image_processors_page.py [--check]

With --check nothing is written; the exit code is 1 if the page is not as the code says. The model
types are those of the transformers that is installed; the page names its version.
"""

import argparse
import sys
from pathlib import Path
from textwrap import fill

import transformers
from transformers.models.auto import image_processing_auto as auto

from fairage.exceptions import DataError
from fairage.faces import Preprocessing
from fairage.faces.image_processors import PROCESSORS

PAGE = Path(__file__).parents[1] / "docs" / "image-processors.md"
REASONS = {  # why, and the processors that it holds for
    "detection, segmentation, depth, key points or restoration": (
        "CHMv2 ConditionalDetr DPT DeformableDetr DepthPro Detr EfficientLoFTR Eomt GLPN "
        "GroundingDino LightGlue Mask2Former MaskFormer OneFormer OwlViT Owlv2 "
        "PromptDepthAnything RTDetr RfDetr Sam Sam2 Sam3 Sapiens2 SegGpt SuperGlue SuperPoint "
        "Swin2SR Tipsv2Dpt VitMatte VitPose Yolos ZoeDepth"
    ),
    "documents": (
        "DeepseekOcr2 Donut GotOcr2 GraniteDocling Kosmos2_5 LayoutLMv2 LayoutLMv3 MiniCPMOcr "
        "Nougat PPChart2Table PPDocLayoutV2 PPDocLayoutV3 PPDocLayoutV4 PPFormulaNet "
        "PPOCRV5ServerDet PPOCRV5ServerRec PPOCRV6SmallRec PaddleOCRVL Pix2Struct SLANeXt TextNet "
        "UVDoc UnlimitedOcr"
    ),
    "video": "Tvp VideoLlama3 VideoLlava VideoMAE Vivit",
    "Lanczos interpolation": "Chameleon",
    "makes colour clusters of pixels": "ImageGPT",
    "crops before it resizes": "Perceiver",
    "needs timm": "TimmWrapper",
}
OTHER = "not compared"
NOT_ALONE = [
    "colpali",
    "florence2",
    "git",
    "mgp-str",
    "paligemma",
    "trocr",
    "upernet",
    "vipllava",
    "xclip",
]
FURTHER = {"dinat": "natten", "gemma3n": "timm"}  # what fairage has no use for otherwise
HEAD = """# Image models and their preprocessing

A network must see the pixels that it was trained on. `preprocessor_config.json` says little of
them: `{{"size": 224}}` means a square to one image processor of transformers and a shorter side to
the next, and each has its own defaults. fairage reads the file with the class that it names
(`image_processor_type`, or in old files `feature_extractor_type`), else with the one that
transformers has for the `model_type` of `config.json`.

**Equal** means that the pixels differ from those of transformers' own processor (its variant for
Pillow; of `DINOv3ViTImageProcessor`, which has none, its formula) by at most 0.01 of their standard
deviation in the mean, on non-square pictures, with old and new files; a test measures it. Every
other type is **refused**, by its name, before anything is embedded; those that were not compared
are mostly language models with eyes, which cut tiles or patches, or pad.

Of models of words and images the part for images is taken. Where transformers has none that makes
an embedding of pixels alone, the model is refused when it is loaded:

{not_alone}

So is any model that gives one picture two embeddings, by chance or by what stands beside it in a
batch.

Refused in any file:

- steps that are not reproduced: Lanczos (`resample: 1`), `do_resize: false`, padding, grey images;
- a shorter side without a crop, as the input's size would follow the picture;
- numbers that cannot be meant: sizes beyond 4096, an `image_std` of 0, means or deviations outside
  the range of the scaled pixels (0..255 where they are scaled to 0..1).

Height and width for `ConvNextImageProcessor`, which transformers itself refuses, are read as a
plain resize. A file with neither class nor model type, beside an ONNX model say, is read as it
stands: `size`, and what differs from a bilinear resize, a `rescale_factor` of 1/255 and no
normalisation. What classes read differently (`crop_pct`, one number as size beside a crop) is
refused there.

This page is made from the code by `python scripts/image_processors_page.py`, and a test holds it;
the model types are those of transformers {version}.

| image processor | model types | |
|---|---|---|
"""


def refused(name: str, model_type: str) -> bool:
    """Return whether files of this type are refused, be it by model type or by class."""
    for file, of_model in (({}, model_type), ({"image_processor_type": name}, None)):
        try:
            Preprocessing.from_config(file, of_model)
        except DataError:
            continue
        return False
    return True


def reason(name: str) -> str:
    """Return why a processor is refused."""
    short = name.removesuffix("ImageProcessor")
    return next((why for why, names in REASONS.items() if short in names.split()), OTHER)


def page() -> str:
    """Return the page."""
    types: dict[str, list[str]] = {}
    for model_type, names in auto.IMAGE_PROCESSOR_MAPPING_NAMES.items():
        name = next(iter(names.values())).removesuffix("Pil")
        types.setdefault(name, []).append(model_type)
    lines = []
    for name in sorted(types, key=lambda each: (each not in PROCESSORS, each)):
        out = [refused(name, each) for each in types[name]]
        if any(each == (name in PROCESSORS) for each in out):
            raise SystemExit(f"{name}: {dict(zip(types[name], out, strict=True))}")
        verdict = "equal" if name in PROCESSORS else f"refused: {reason(name)}"
        listed = ", ".join(f"`{each}`" for each in sorted(types[name]))
        lines.append(f"| `{name}` | {listed} | {verdict} |\n")
    not_alone = [f"`{each}`" for each in NOT_ALONE]
    not_alone += [f"`{each}` (wants {library})" for each, library in FURTHER.items()]
    head = HEAD.format(version=transformers.__version__, not_alone=fill(", ".join(not_alone), 100))
    return head + "".join(lines)


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    print(f"{PAGE.name} is stale: python scripts/image_processors_page.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
