"""OpenCV draws the faces; auditing does without it, so it may not be installed."""

from fairage.exceptions import MissingDependencyError

__all__ = ["require_opencv"]


def require_opencv() -> None:
    """Say what to install where OpenCV is missing.

    Examples:
        >>> require_opencv()
    """
    try:
        import cv2  # noqa: F401  # only whether it is there
    except ImportError as error:
        raise MissingDependencyError.for_extra("opencv-python-headless", "train") from error
