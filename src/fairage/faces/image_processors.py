"""The image processors of transformers that are reproduced, and what each does by default.

A `preprocessor_config.json` says little: `{"size": 224}` is a square for one class and a shorter
side for the next, and what is missing has another value in each. `completed` writes it all out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fairage.exceptions import DataError

Config = dict[str, Any]

_HALF = (0.5, 0.5, 0.5)
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CLIP = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_BILINEAR, _BICUBIC = 2, 3
# ConvNeXt's processor crops the margins only off inputs smaller than this.
_CONVNEXT_WARPS_FROM = 384
_CONVNEXT_SHARE = 224 / 256
# What some processor does to an image and none of the table: named in a file, it is refused.
NOT_DONE = (
    "crop_to_patches",
    "do_align_axis",
    "do_align_long_axis",
    "do_color_quantize",
    "do_convert_grayscale",
    "do_crop_margin",
    "do_grayscale",
    "do_image_splitting",
    "do_pad",
    "do_random_crop",
    "do_thumbnail",
    "keep_aspect_ratio",
    "pad_size",
    "return_codebook_pixels",
    "return_image_mask",
    "size_divisor",
    "use_square_size",
)


def _square(side: int) -> dict[str, int]:
    return {"height": side, "width": side}


def _shorter(side: int) -> dict[str, int]:
    return {"shortest_edge": side}


@dataclass(frozen=True)
class Processor:
    """What an image processor does where its file is silent.

    Args:
        size: Size that it resizes to.
        square: Whether one number as a size means height and width, else the shorter side.
        crop: Side of the middle that it cuts out, or None where it cuts nothing out by itself.
        crops: Whether it cuts out the middle.
        resample: Pillow's number of the interpolation.
        mean: Subtracted from the scaled channels.
        std: Divides what is left.
        more: Keys that only this processor knows, with their values.
        ignores: Keys that have no effect on it, with the values that say so.
        resized: What it makes of `size` before it resizes, if anything.
    """

    size: Mapping[str, int]
    square: bool = True
    crop: int | None = None
    crops: bool = False
    resample: int = _BICUBIC
    mean: tuple[float, float, float] = _HALF
    std: tuple[float, float, float] = _HALF
    more: Mapping[str, Any] = field(default_factory=dict)
    ignores: Mapping[str, Any] = field(default_factory=dict)
    resized: Callable[[Config], Config] | None = None

    def defaults(self) -> Config:
        """Return what holds for the keys that a file does not have."""
        return {
            "do_resize": True,
            "size": dict(self.size),
            "default_to_square": self.square,
            "resample": self.resample,
            "do_center_crop": self.crops,
            "crop_size": None if self.crop is None else _square(self.crop),
            "do_rescale": True,
            "rescale_factor": 1 / 255,
            "do_normalize": True,
            "image_mean": list(self.mean),
            "image_std": list(self.std),
            **self.more,
        }


def _convnext(config: Config) -> Config:
    """Small inputs are the middle of a larger image; from 384 on the whole image is warped."""
    if config["do_center_crop"]:
        raise _not_done("do_center_crop", config["do_center_crop"])
    if "shortest_edge" not in config["size"]:
        if config["crop_pct"] != _CONVNEXT_SHARE:
            raise _not_done("crop_pct beside height and width", config["crop_pct"])
        return config
    share, side = _share(config), config["size"]["shortest_edge"]
    if side >= _CONVNEXT_WARPS_FROM:
        return config | {"size": _square(side)}
    larger = _shorter(int(side / share))
    return config | {"size": larger, "crop_size": _square(side), "do_center_crop": True}


def _levit(config: Config) -> Config:
    """The shorter side is resized to 256/224 of what is asked for."""
    _check_whole(config["size"])
    if "shortest_edge" not in config["size"]:
        return config
    return config | {"size": _shorter(int((256 / 224) * config["size"]["shortest_edge"]))}


def _poolformer(config: Config) -> Config:
    """Sizes are what is left of the image after cropping; a square is a shorter side."""
    if config["crop_pct"] is None:
        return config
    size, share = config["size"], _share(config)
    sides = {int(side / share) for side in size.values()}
    if len(sides) == 1:
        return config | {"size": _shorter(sides.pop())}
    return config | {"size": {name: int(side / share) for name, side in size.items()}}


_OF_CLIP = Processor(_shorter(224), square=False, crop=224, crops=True, mean=_CLIP[0], std=_CLIP[1])
_MOBILENET = Processor(_shorter(256), square=False, crop=224, crops=True, resample=_BILINEAR)

PROCESSORS: dict[str, Processor] = {
    "BeitImageProcessor": Processor(_square(224), crop=224),
    "BitImageProcessor": _OF_CLIP,
    "BlipImageProcessor": Processor(_square(384), mean=_CLIP[0], std=_CLIP[1]),
    "CLIPImageProcessor": _OF_CLIP,
    "ChineseCLIPImageProcessor": _OF_CLIP,
    "ConvNextImageProcessor": Processor(
        _shorter(384), square=False, more={"crop_pct": _CONVNEXT_SHARE}, resized=_convnext
    ),
    "DINOv3ViTImageProcessor": Processor(
        _square(224), resample=_BILINEAR, mean=_IMAGENET[0], std=_IMAGENET[1]
    ),
    "DeiTImageProcessor": Processor(_square(256), crop=224, crops=True),
    "EfficientNetImageProcessor": Processor(
        _square(346), crop=289, more={"rescale_offset": False, "include_top": True}
    ),
    "FlavaImageProcessor": Processor(
        _square(224), crop=224, crops=True, mean=_CLIP[0], std=_CLIP[1]
    ),
    "LevitImageProcessor": Processor(
        _shorter(224),
        square=False,
        crop=224,
        crops=True,
        mean=_IMAGENET[0],
        std=_IMAGENET[1],
        resized=_levit,
    ),
    "MobileNetV1ImageProcessor": _MOBILENET,
    "MobileNetV2ImageProcessor": _MOBILENET,
    "MobileViTImageProcessor": Processor(
        _shorter(224),
        square=False,
        crop=256,
        crops=True,
        more={"do_flip_channel_order": True},
        ignores={"do_normalize": False},
    ),
    "PoolFormerImageProcessor": Processor(
        _shorter(224),
        square=False,
        crop=224,
        crops=True,
        mean=_IMAGENET[0],
        std=_IMAGENET[1],
        more={"crop_pct": 0.9},
        resized=_poolformer,
    ),
    "PvtImageProcessor": Processor(_square(224), mean=_IMAGENET[0], std=_IMAGENET[1]),
    "SegformerImageProcessor": Processor(
        _square(512),
        resample=_BILINEAR,
        mean=_IMAGENET[0],
        std=_IMAGENET[1],
        ignores={"do_center_crop": False},
    ),
    "SiglipImageProcessor": Processor(_square(224), square=False),
    "ViTImageProcessor": Processor(_square(224), resample=_BILINEAR),
}

# Which processor reads a file that names none: by the model type in config.json.
MODEL_TYPES: dict[str, str] = {
    model_type: f"{name}ImageProcessor"
    for name, model_types in {
        "Beit": "beit data2vec-vision",
        "Bit": "bit dinov2 focalnet hiera pixio",
        "Blip": "blip blip-2 instructblip",
        "CLIP": "clip aimv2 aimv2_vision_model altclip florence2 git groupvit kosmos-2 metaclip_2 "
        "mlcd vipllava xclip",
        "ChineseCLIP": "chinese_clip",
        "ConvNext": "convnext convnextv2 cvt regnet resnet",
        "DINOv3ViT": "dinov3_vit",
        "DeiT": "deit",
        "EfficientNet": "efficientnet align",
        "Flava": "flava",
        "Levit": "levit",
        "MobileNetV1": "mobilenet_v1",
        "MobileNetV2": "mobilenet_v2",
        "MobileViT": "mobilevit mobilevitv2",
        "PoolFormer": "poolformer",
        "Pvt": "pvt pvt_v2",
        "Segformer": "segformer upernet",
        "Siglip": "siglip colpali gemma3n paligemma",
        "ViT": "vit clipseg dinat ijepa mgp-str swiftformer swin swinv2 trocr vit_mae vit_msn",
    }.items()
    for model_type in model_types.split()
}


def processor_name(config: Mapping[str, Any], model_type: str | None = None) -> str | None:
    """Return the class that reads this file in transformers, or None where nothing names one.

    Args:
        config: The parsed `preprocessor_config.json`.
        model_type: The model's, of `config.json`; it counts where the file names no class.

    Raises:
        DataError: It is none of the classes that are reproduced.

    Examples:
        >>> processor_name({"feature_extractor_type": "ViTFeatureExtractor"}, "swin")
        'ViTImageProcessor'
        >>> processor_name({"size": 224}, "resnet")
        'ConvNextImageProcessor'
    """
    named = config.get("image_processor_type") or config.get("feature_extractor_type")
    if names_no_class(config):
        if config.get("auto_map"):
            raise _not_done("auto_map", config["auto_map"])
        return None if model_type is None else _of_model_type(model_type)
    name = str(named).replace("FeatureExtractor", "ImageProcessor").removesuffix("Fast")
    if name not in PROCESSORS:
        raise DataError(
            f"expected an image processor that is reproduced, one of {sorted(PROCESSORS)}, got "
            f"{named!r}, choose another backbone"
        )
    return name


def names_no_class(config: Mapping[str, Any]) -> bool:
    """Return whether a file leaves it to the model which class reads it."""
    return not (config.get("image_processor_type") or config.get("feature_extractor_type"))


def _of_model_type(model_type: str) -> str:
    if model_type in MODEL_TYPES:
        return MODEL_TYPES[model_type]
    raise DataError(
        f"expected a model type whose image processor is reproduced, one of {sorted(MODEL_TYPES)}, "
        f"got {model_type!r}, choose another backbone, or name in preprocessor_config.json the "
        "image_processor_type that it was trained with"
    )


def completed(config: Mapping[str, Any], model_type: str | None = None) -> Config:
    """Return a configuration with what its processor does written out in every key.

    Without a class and a model type the file is read as it stands. As in transformers a key that
    is null is a no, and one that is missing has the processor's default.

    Args:
        config: The parsed `preprocessor_config.json`.
        model_type: The model's, of `config.json`.

    Raises:
        DataError: It asks for something that is not reproduced, or leaves open what it means.

    Examples:
        >>> settings = completed({"size": 224, "crop_pct": 0.875}, "resnet")
        >>> settings["size"], settings["crop_size"]
        ({'shortest_edge': 256}, {'height': 224, 'width': 224})
        >>> completed({"size": 224}, "vit")["size"]
        {'height': 224, 'width': 224}
    """
    for key in NOT_DONE:
        if config.get(key):
            raise _not_done(key, config[key])
    name = processor_name(config, model_type)
    if name is None:
        return _as_it_stands(dict(config))
    processor = PROCESSORS[name]
    defaults = processor.defaults()
    known = {key: value for key, value in config.items() if key in defaults}
    settings = {**defaults, **known, **processor.ignores}
    settings["size"] = _size(settings["size"], square=bool(settings["default_to_square"]))
    return settings if processor.resized is None else processor.resized(settings)


def _as_it_stands(config: Config) -> Config:
    """Refuse what one processor reads in another way than the next, where none is named."""
    if config.get("crop_pct") is not None:
        raise _unnamed("crop_pct", config["crop_pct"])
    size, crop = config.get("size"), config.get("crop_size")
    crops = config.setdefault("do_center_crop", crop is not None)
    if crops and isinstance(size, int):
        raise _unnamed("one number as size beside a crop", size)
    settings = {"do_resize": True, "resample": _BILINEAR, "do_rescale": True, **config}
    settings.setdefault("rescale_factor", 1 / 255)
    settings.setdefault("do_normalize", "image_mean" in config)
    return settings | {"size": _size(size, square=True)}


def _size(size: Any, *, square: bool) -> dict[str, int]:  # noqa: ANN401  # as it stands in the JSON
    """Return a size as a dictionary; what is in it is checked where it is read."""
    if isinstance(size, dict):
        return size
    if isinstance(size, list) and len(size) == 2:
        return {"height": size[0], "width": size[1]}
    if isinstance(size, list):
        raise DataError(f"expected height and width as size, got {size!r}, give two numbers")
    return {"height": size, "width": size} if square else {"shortest_edge": size}


def _share(config: Config) -> float:
    share = config["crop_pct"]
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0.1 <= share <= 1:
        raise DataError(f"expected a crop_pct from 0.1 to 1, got {share!r}, correct it")
    _check_whole(config["size"])
    return float(share)


def _check_whole(size: Mapping[str, Any]) -> None:
    if not all(isinstance(side, int) and not isinstance(side, bool) for side in size.values()):
        raise DataError(f"expected whole numbers in size, got {size!r}, correct them")


def _not_done(key: str, value: object) -> DataError:
    return DataError(
        f"expected only steps that are reproduced, got {key}: {value!r}, choose another backbone"
    )


def _unnamed(key: str, value: object) -> DataError:
    return DataError(
        f"expected an image_processor_type, as processors differ in what they make of {key}, got "
        f"{value!r} and no class, add the class that the model was published with"
    )
