"""Files and folders that are there whole or not at all, after a kill or a power cut too.

What is written stands beside its place, as `.NAME.partial`, until it is complete; then it is synced and
renamed. Its writer holds a lock on `.NAME.lock` that the kernel drops with the process. So two writers never
meet, and what a killed one left is known for what it is: the next writer clears it away.
"""

from editkit.atomic.file import writable, write_whole
from editkit.atomic.folder import new_folder, vacant

__all__ = ["new_folder", "vacant", "writable", "write_whole"]
