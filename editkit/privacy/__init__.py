"""What may be shown of an edit where its words must not be read."""

from editkit.privacy.masks import Masks

__all__ = ["Masks"]
