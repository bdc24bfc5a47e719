"""Faces: detection, alignment, views, preprocessing for a network."""

from fairage._images import decode_image, read_image_bytes
from fairage.faces.detection import FaceDetector, find_detector
from fairage.faces.face import Face, reason_without_faces
from fairage.faces.preprocessing import Preprocessing
from fairage.faces.views import Landmarks, View, align, view_from_name

__all__ = [
    "Face",
    "FaceDetector",
    "Landmarks",
    "Preprocessing",
    "View",
    "align",
    "decode_image",
    "find_detector",
    "read_image_bytes",
    "reason_without_faces",
    "view_from_name",
]
