"""Published parts -> a checkpoint folder, for models that nobody publishes as one."""

from typing import Final

CONVERSIONS: Final = {
    "minigpt4": "editkit.convert.minigpt4:MiniGPT4",
    "mplug-owl2": "editkit.convert.mplug_owl2:MPLUGOwl2",
}
