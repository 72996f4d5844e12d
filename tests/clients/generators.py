"""Four generators of clients: how each is called, and how what it made is run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True)
class Tools:
    """Where the programs are: those of Python in `bin`, those of npm below `npm`, if they could be installed."""

    bin: Path
    npm: Path

    def of_npm(self, name: str) -> Path:
        """The path of a program that npm installed."""
        found = self.npm / "node_modules" / ".bin" / name
        if not found.exists() or shutil.which("node") is None:
            pytest.skip("this machine has no npm, or npm could not install: no client in TypeScript can be made")
        return found

    def run(self, folder: Path, *command: str | Path) -> tuple[str, str]:
        """Run a program in a folder and return both of its outputs. It must succeed."""
        # The folder of the environment comes first: openapi-python-client calls the ruff beside it.
        path = os.pathsep.join([str(self.bin), os.environ.get("PATH", os.defpath)])
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env={"PATH": path, "HOME": str(folder), "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout, done.stderr


def openapi_python_client(tools: Tools, document: Path, folder: Path) -> str:
    """Make the package `generated` and return what the generator says."""
    command = ("generate", "--path", document, "--output-path", folder / "generated", "--meta", "none")
    return "".join(tools.run(folder, tools.bin / "openapi-python-client", *command))


def datamodel_codegen(tools: Tools, document: Path, folder: Path) -> str:
    """Make the module `generated` and return what the generator says."""
    command = ("--input", document, "--input-file-type", "openapi", "--output", folder / "generated.py")
    kind = ("--output-model-type", "pydantic_v2.BaseModel", "--formatters", "builtin")
    return "".join(tools.run(folder, tools.bin / "datamodel-codegen", *command, *kind))


def typescript_fetch(tools: Tools, document: Path, folder: Path) -> str:
    """Make the folder `generated` and return what the generator says."""
    command = ("generate", "-i", document, "-g", "typescript-fetch", "-o", folder / "generated")
    return "".join(tools.run(folder, tools.bin / "openapi-generator-cli", *command))


def openapi_typescript(tools: Tools, document: Path, folder: Path) -> str:
    """Make the file `generated.ts` and return what the generator says."""
    command = (document, "--output", folder / "generated.ts")
    return "".join(tools.run(folder, tools.of_npm("openapi-typescript"), *command))


def run_python(tools: Tools, folder: Path, name: str, *arguments: str) -> dict[str, Any]:
    """Run a program with what was generated for it, and return the JSON that it prints."""
    said, _ = tools.run(folder, tools.bin / "python", PROGRAMS / f"{name}.py", *arguments)
    made: dict[str, Any] = json.loads(said)
    return made


def run_typescript(tools: Tools, folder: Path, name: str, *arguments: str) -> dict[str, Any]:
    """Compile a program with what was generated for it, strictly, run it, and return the JSON that it prints."""
    compiler = tools.of_npm("tsc")
    modules = tools.npm / "node_modules"
    (folder / "node_modules").symlink_to(modules)
    shutil.copy(PROGRAMS / f"{name}.ts", folder)
    options = {
        "strict": True,
        "target": "es2022",
        "module": "commonjs",
        "lib": ["es2022", "dom", "dom.iterable"],
        "types": ["node"],
        "outDir": "built",
        "rootDir": ".",
        "skipLibCheck": True,
        "esModuleInterop": True,
    }
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": [f"{name}.ts"]}))
    tools.run(folder, compiler, "--project", "tsconfig.json")
    said, _ = tools.run(folder, "node", f"built/{name}.js", *arguments)
    made: dict[str, Any] = json.loads(said)
    return made
