"""Which kinds of object a text names: words, plurals and synonyms -> the kinds of a list."""

from editkit.objects.stem import stem
from editkit.objects.vocabulary import Vocabulary, coco, listed, read

__all__ = ["Vocabulary", "coco", "listed", "read", "stem"]
