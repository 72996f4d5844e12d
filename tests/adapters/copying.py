"""Copy a specimen under a new name, as somebody who adds a dialect or a vendor does, and edit the copy."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True)
class Edit:
    """One change of the copy: in `file`, `old` (which stands there once) becomes `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Copied:
    """Where the copy lies, and the name under which it is imported."""

    place: Path
    module: str

    def load(self) -> ModuleType:
        return importlib.import_module(self.module)


@contextmanager
def copied_package(original: str, name: str, folder: Path, edits: Sequence[Edit] = ()) -> Iterator[Copied]:
    """Copy the package or module `original` into `folder`, the last part of its name replaced by `name` throughout.

    While the block runs, `folder` is a further place in which Python looks for modules of the parent package.
    """
    parent_name, _, old = original.rpartition(".")
    parent = importlib.import_module(parent_name)
    source = Path(parent.__path__[0])
    kind = source / old if (source / old).is_dir() else source / f"{old}.py"
    place = folder / "copies" / kind.name.replace(old, name)
    place.parent.mkdir(exist_ok=True)
    if kind.is_dir():
        shutil.copytree(kind, place, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(kind, place)
    for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        text = file.read_text("utf-8").replace(old, name).replace(old.capitalize(), name.capitalize())
        for edit in edits:
            if edit.file == (file.relative_to(place).as_posix() if place.is_dir() else ""):
                assert text.count(edit.old) == 1, f"{edit.old!r} stands {text.count(edit.old)} times in {file.name}"
                text = text.replace(edit.old, edit.new)
        file.write_text(text, "utf-8")
    parent.__path__.append(str(place.parent))
    importlib.invalidate_caches()
    full = f"{parent_name}.{name}"
    try:
        yield Copied(place, full)
    finally:
        parent.__path__.remove(str(place.parent))
        for module in [module for module in sys.modules if module == full or module.startswith(f"{full}.")]:
            del sys.modules[module]
        vars(parent).pop(name, None)
        importlib.invalidate_caches()
