"""The order in which a directory is listed."""

from __future__ import annotations

from seedproof.sources.base import Source, confirmed, inside, whole_number

SOURCE = Source(
    id="file_order",
    summary="the order in which the file system lists a directory, which nothing promises",
    explanation=(
        "os.listdir, os.scandir, glob and Path.iterdir give the files as the file system happens "
        "to keep them: by creation, by a hash, sorted, and otherwise on another machine or after "
        "a copy. A data set that is read so comes in another order. The pin sorts (0); 1 is the "
        "reverse order, and each number from 2 on one shuffled order. It reaches what lists "
        "through Python."
    ),
    fix="Sort what was listed before its order matters: sorted(os.listdir(path)).",
    links=(
        "https://docs.python.org/3/library/os.html#os.listdir",
        "https://docs.python.org/3/library/glob.html",
        "https://github.com/pytorch/vision/issues/193",
    ),
    parse=whole_number(0, 2**32 - 1),
    pinned=lambda _seed, _threads: 0,
    variations=lambda: (0, 1, 2),
    offer=inside("file_order"),
    offered=confirmed("file_order"),
    used="lists a directory without sorting",
)
