"""Opening what an embedding run works with: backbones, detector, and their parts of the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fairage.embeddings.backbones import Backbone, find_backbone
from fairage.embeddings.detections import Detections
from fairage.embeddings.lane import Lane
from fairage.embeddings.precision import agreed_runtime
from fairage.embeddings.runtime import Runtime, choose_runtime
from fairage.embeddings.spec import BackboneSpec
from fairage.embeddings.store import Opened
from fairage.exceptions import ConfigError
from fairage.faces.detection import find_detector
from fairage.faces.views import view_from_name

__all__ = ["Machine", "open_detections", "open_lanes"]


@dataclass(frozen=True)
class Machine:
    """What the user wants the networks to run on; see `embed`."""

    device: str = "auto"
    precision: str = "auto"
    batch_size: int | None = None

    def runtime(self, images: int, *, precision: str | None = None) -> Runtime:
        """Return the runtime for a table of so many images."""
        asked = precision or self.precision
        return choose_runtime(self.device, asked, batch_size=self.batch_size, images=images)


def open_lanes(
    images: Sequence[str],
    specs: Sequence[BackboneSpec],
    root: Path,
    machine: Machine,
    detections: Detections | None,
    *,
    opened: Opened,
) -> list[Lane]:
    """Return a lane for each backbone and view, with what the store holds of it.

    What has been opened is shared, and what is opened now is added to it.

    Raises:
        ConfigError: There is no backbone, or one stands twice, or is none.
    """
    if not specs or len(set(specs)) < len(specs):
        raise ConfigError(
            f"expected one or more different backbones, got {[spec.name for spec in specs]}, "
            "name each once"
        )
    named = {spec.name: find_backbone(spec.name) for spec in specs}
    runtimes = {name: _runtime(found, images, root, machine) for name, found in named.items()}
    shared = {name: found.shared() for name, found in named.items()}
    detector = None if detections is None else detections.detector.fingerprint()
    lanes = [
        Lane(shared[spec.name], spec, root, runtimes[spec.name], detector=detector)
        for spec in specs
    ]
    for lane in lanes:
        lane.store = opened.setdefault(lane.store.folder, lane.store)
        lane.store.load()
    return lanes


def open_detections(
    specs: Sequence[BackboneSpec], root: Path, detector: Path | None
) -> Detections | None:
    """Return what is known of the faces' landmarks, or None where no view is an aligned one.

    Raises:
        ConfigError: An aligned view has no detector.
        DataError: The detector's file holds none.
    """
    if not any(view_from_name(spec.view).needs_landmarks for spec in specs):
        return None
    detections = Detections(root, find_detector(detector))
    detections.load()
    return detections


def _runtime(backbone: Backbone, images: Sequence[str], root: Path, machine: Machine) -> Runtime:
    """Return how to run a backbone; `auto` takes bf16 only where the backbone bears it."""
    runtime = machine.runtime(len(images))
    if machine.precision != "auto":
        return runtime
    plain = machine.runtime(len(images), precision="fp32")
    return agreed_runtime(backbone, runtime, plain, images, root)
