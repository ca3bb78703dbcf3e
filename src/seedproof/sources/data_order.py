"""The order in which data come out of what loads them side by side."""

from __future__ import annotations

from seedproof.sources.base import Source, confirmed, inside, on_off

SOURCE = Source(
    id="data_order",
    summary="data that come as they are ready, from workers that load them side by side",
    explanation=(
        "Where several workers load or augment data, some interfaces hand on whatever is ready "
        "first: tf.data with deterministic=False, a PyTorch DataLoader with in_order=False, "
        "Pool.imap_unordered, concurrent.futures.as_completed. The batches then differ from run "
        "to run. Random operations in a parallel tf.data map draw in the order in which threads "
        "come. The pin keeps the order in which the data were asked for."
    ),
    fix=(
        "Keep the order: deterministic=True, in_order=True, imap instead of imap_unordered, and "
        "results taken in the order of their tasks. Draw with stateless operations in tf.data, "
        "tf.random.stateless_uniform with a seed that belongs to the example."
    ),
    links=(
        "https://www.tensorflow.org/api_docs/python/tf/data/Options#deterministic",
        "https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader",
        "https://github.com/tensorflow/tensorflow/issues/13932",
    ),
    parse=on_off,
    pinned=lambda _seed, _threads: True,
    variations=lambda: (True, False),
    offer=inside("data_order"),
    offered=confirmed("data_order"),
    used="takes results as they come",
)
