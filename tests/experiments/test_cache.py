"""Where downloads are kept, on each platform and under each variable."""

from pathlib import Path

import pytest

from seedproof.errors import UsageError
from seedproof.experiments.cache import cache_directory

HOME = Path.home()


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, HOME / ".cache" / "seedproof"),
        ("linux", {"XDG_CACHE_HOME": "/caches"}, Path("/caches/seedproof")),
        ("linux", {"XDG_CACHE_HOME": "relative"}, HOME / ".cache" / "seedproof"),
        ("linux", {"SEEDPROOF_CACHE": "/own", "XDG_CACHE_HOME": "/caches"}, Path("/own")),
        ("linux", {"SEEDPROOF_CACHE": "~/own"}, HOME / "own"),
        ("linux", {"SEEDPROOF_CACHE": ""}, HOME / ".cache" / "seedproof"),
        ("darwin", {"XDG_CACHE_HOME": "/caches"}, HOME / "Library" / "Caches" / "seedproof"),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/seedproof")),
        ("win32", {}, HOME / "AppData" / "Local" / "seedproof"),
    ],
)
def test_the_cache_lies_where_the_platform_keeps_caches(platform, environ, expected):
    assert cache_directory(environ, platform) == expected


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(UsageError, match="set SEEDPROOF_CACHE"):
        cache_directory({}, "linux")
