"""First thing in the user's interpreter: load Seedproof by its place, then step aside.

The directory of this file stands first on PYTHONPATH and holds nothing else, so that nothing of
the environment that Seedproof is installed in can shadow the user's. Keep to the syntax of
Python 3.8, and to the standard library.
"""

import importlib.util
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_PACKAGE = os.path.dirname(os.path.dirname(_HERE))
_PATH_IS_EMPTY = os.environ.get("PYTHONPATH") == _HERE + os.pathsep


def _load_package() -> None:
    spec = importlib.util.spec_from_file_location(
        "seedproof",
        os.path.join(_PACKAGE, "__init__.py"),
        submodule_search_locations=[_PACKAGE],
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["seedproof"] = package
    spec.loader.exec_module(package)


def _step_aside() -> None:
    """Leaves the path as the user set it, and lets their own `sitecustomize` run."""
    places = [os.path.abspath(entry or ".") for entry in sys.path]
    if _PATH_IS_EMPTY and _HERE in places:
        del sys.path[places.index(_HERE) + 1]  # what an empty PYTHONPATH would not have added
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != _HERE]
    own = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "sitecustomize":
            raise
        if own is not None:
            sys.modules["sitecustomize"] = own


def _start() -> None:
    from seedproof.inside.start import start

    start()


def _give_up(error: Exception) -> None:
    """The run's first process must not go on unseen; a later one must not be broken by us."""
    if os.path.exists(os.path.join(os.environ["_SEEDPROOF_RUN"], "trace")):
        return
    sys.stderr.write(f"seedproof: the recording could not start: {error!r}\n")
    sys.stderr.flush()
    os._exit(3)


if "_SEEDPROOF_RUN" in os.environ:
    try:
        _load_package()
        _start()
    except Exception as error:
        _give_up(error)
_step_aside()
