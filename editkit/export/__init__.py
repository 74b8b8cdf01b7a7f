"""A patch as other tools' files: a merged checkpoint, a LoRA adapter, a folder for the Hub."""
