"""The other process: reads requests from stdin, a line of JSON each, and answers on stdout."""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
import warnings
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from editkit.cli.main import run
from editkit.errors import EditkitError


def answer(request: dict[str, Any]) -> dict[str, Any]:
    os.environ.pop("HF_TOKEN", None)
    if request["token"] is not None:
        os.environ["HF_TOKEN"] = request["token"]
    os.chdir(request["cwd"])
    out, err, names = io.StringIO(), io.StringIO(), dict(request.get("names") or {})
    code = 0
    with redirect_stdout(out), redirect_stderr(err):
        if "args" in request:
            code = run(request["args"])
        else:
            try:
                exec(request["script"], names)
            except EditkitError as error:
                code = 1
                err.write(str(error))
            except Exception:
                code = 99
                traceback.print_exc()
    return {"code": code, "out": out.getvalue(), "err": err.getvalue(), "value": names.get("value")}


def main() -> None:
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", category=ResourceWarning)
    warnings.filterwarnings("ignore", "Use .content=", DeprecationWarning)  # the client's own, of large files
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what is printed past us is no answer
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
