"""The commands, one file each; a command's file is imported when it is called."""

from typing import Final

COMMANDS: Final = {
    "apply": "editkit.cli.apply:apply",
    "plan": "editkit.cli.plan:plan",
    "evaluate": "editkit.cli.evaluate:evaluate",
    "locate": "editkit.cli.locate:locate",
    "validate": "editkit.cli.validate:validate",
    "schema": "editkit.cli.schema:schema",
    "runs": "editkit.cli.runs:runs",
    "review": "editkit.cli.review:review",
    "show": "editkit.cli.show:show",
    "diff": "editkit.cli.diff:diff",
    "merge": "editkit.cli.merge:merge",
    "extract": "editkit.cli.extract:extract",
    "export": "editkit.cli.export:export",
    "revert": "editkit.cli.revert:revert",
    "push": "editkit.cli.push:push",
    "pull": "editkit.cli.pull:pull",
    "verify": "editkit.cli.verify:verify",
    "sign": "editkit.cli.sign:sign",
    "convert": "editkit.cli.convert:convert",
    "models": "editkit.cli.models:models",
    "ls": "editkit.cli.ls:ls",
    "cp": "editkit.cli.cp:cp",
    "sync": "editkit.cli.sync:sync",
    "ui": "editkit.cli.ui:ui",
    "env": "editkit.cli.env:env",
}
