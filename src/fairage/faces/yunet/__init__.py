"""YuNet, the face detector that comes with fairage; see README.md beside this file."""

from fairage.faces.yunet.network import SHIPPED, YuNet

__all__ = ["SHIPPED", "YuNet"]
