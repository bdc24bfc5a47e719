"""Training: heads on cached embeddings. Torch."""

from fairage.training.loop import Epoch, History, Rows, TrainingSettings, train_head

__all__ = ["Epoch", "History", "Rows", "TrainingSettings", "train_head"]
