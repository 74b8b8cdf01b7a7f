"""Safetensors checkpoints without torch: headers, byte ranges, chosen rows, digests."""

from editkit.checkpoint.folder import Checkpoint, Orientation, Rows
from editkit.checkpoint.tensorfile import BITS, Bits, TensorInfo

__all__ = ["BITS", "Bits", "Checkpoint", "Orientation", "Rows", "TensorInfo"]
