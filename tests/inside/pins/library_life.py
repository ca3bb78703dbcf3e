"""What libraries do in the course of a training, by the means of the standard library.

Run as the user's script under each pin: every line must do what it does without.
"""

import asyncio
import concurrent.futures
import contextlib
import copy
import datetime
import glob
import importlib
import io
import json
import logging
import multiprocessing
import os
import pathlib
import pickle
import pkgutil
import queue
import secrets
import select
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile

SHORT, LONG = 0.2, 60.0


def queues_time_out() -> None:
    for waiting in (queue.Queue(), multiprocessing.Queue(), queue.SimpleQueue()):
        with contextlib.suppress(queue.Empty):
            waiting.get(timeout=SHORT)
            raise AssertionError("it did not time out")
    there = multiprocessing.Queue()
    there.put("there")
    assert there.get(timeout=LONG) == "there"
    there.close()
    there.join_thread()


def waits_time_out() -> None:
    began = time.monotonic()
    assert not threading.Event().wait(SHORT)
    lock = threading.Lock()
    assert lock.acquire(timeout=LONG)
    assert not lock.acquire(timeout=SHORT)
    reader, writer = socket.socketpair()
    assert select.select([reader], [], [], SHORT) == ([], [], [])
    writer.send(b"x")
    assert select.select([reader], [], [], LONG)[0] == [reader]
    reader.close()
    writer.close()
    assert 2 * SHORT < time.monotonic() - began < LONG


def processes_time_out_and_end(context) -> None:
    process = context.Process(target=time.sleep, args=(LONG,))
    process.start()
    process.join(SHORT)
    assert process.is_alive()
    process.terminate()
    process.join(LONG)
    assert not process.is_alive()
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run([sys.executable, "-c", "import time; time.sleep(60)"], timeout=SHORT)
        raise AssertionError("it did not time out")
    said = subprocess.run([sys.executable, "-c", "print(1)"], timeout=LONG, stdout=subprocess.PIPE)
    assert said.stdout.split() == [b"1"]


def pools_work(context) -> None:
    with context.Pool(2) as pool:
        assert pool.map(abs, range(-3, 0)) == [3, 2, 1]
        assert sorted(pool.imap_unordered(abs, range(-3, 0))) == [1, 2, 3]
        assert pool.apply_async(abs, (-4,)).get(timeout=LONG) == 4
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        tasks = [pool.submit(abs, -number) for number in range(3)]
        done = concurrent.futures.as_completed(tasks, timeout=LONG)
        assert sorted(one.result(timeout=LONG) for one in done) == [0, 1, 2]


def threads_work() -> None:
    event = threading.Event()
    thread = threading.Thread(target=event.wait, args=(LONG,))
    thread.start()
    event.set()
    thread.join(LONG)
    assert not thread.is_alive()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        stuck = pool.submit(time.sleep, SHORT)
        with contextlib.suppress(concurrent.futures.TimeoutError):
            stuck.result(timeout=SHORT / 100)
        assert list(pool.map(abs, [-1, -2])) == [1, 2]
    timer = threading.Timer(SHORT, event.clear)
    timer.start()
    timer.join(LONG)
    assert not event.is_set()


def coroutines_time_out() -> None:
    async def late() -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.sleep(LONG), SHORT)
            raise AssertionError("it did not time out")

    asyncio.run(late())


def trees_are_walked_copied_and_removed() -> None:
    with tempfile.TemporaryDirectory() as top:
        for number in range(5):
            place = pathlib.Path(top, f"d{number}", "e")
            place.mkdir(parents=True)
            place.with_name("f.txt").write_text("f")
        assert len(glob.glob(os.path.join(top, "**", "*.txt"), recursive=True)) == 5
        assert len(list(pathlib.Path(top).glob("*/f.txt"))) == 5
        assert len(list(pathlib.Path(top).rglob("*"))) == 15
        assert sum(len(files) for _, _, files in os.walk(top)) == 5
        shutil.copytree(top, top + ".copy")
        shutil.rmtree(top + ".copy")
        assert not os.path.exists(top + ".copy")
        made = shutil.make_archive(top + ".archive", "zip", top)
        assert len([n for n in zipfile.ZipFile(made).namelist() if n.endswith("f.txt")]) == 5
        os.unlink(made)
        descriptor = os.open(top, os.O_RDONLY)
        assert len(os.listdir(descriptor)) == len(os.listdir(os.fsencode(top))) == 5
        with os.scandir(descriptor) as entries:
            assert all(entry.is_dir() for entry in entries)
        os.close(descriptor)


def names_and_secrets_differ() -> None:
    made = [tempfile.mkdtemp() for _ in range(3)]
    assert len(set(made)) == 3
    for place in made:
        os.rmdir(place)
    assert len({uuid.uuid4() for _ in range(9)} | {secrets.token_hex() for _ in range(9)}) == 18
    ssl.create_default_context()
    assert len(ssl.RAND_bytes(4)) == 4


def modules_are_found() -> None:
    importlib.invalidate_caches()
    import wsgiref.util
    import xml.dom.minidom

    assert wsgiref.util
    assert xml.dom.minidom
    assert "decoder" in {module.name for module in pkgutil.iter_modules(json.__path__)}


def times_are_stored() -> None:
    now = datetime.datetime.now()
    assert pickle.loads(pickle.dumps(now)) == copy.deepcopy(now) == now
    for function in (os.listdir, os.urandom, time.time, datetime.datetime.now):
        assert pickle.loads(pickle.dumps(function)) == function
    store = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES)
    store.execute("create table times (at text)")
    store.execute("insert into times values (?)", (now.isoformat(),))
    store.close()
    text = io.StringIO()
    logger = logging.Logger("own")
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    logger.warning("written")
    assert datetime.datetime.now().tzinfo is None
    assert text.getvalue().endswith("written\n")


class Progress:
    """As a progress bar does: a clock held as an attribute, and a rate by dividing."""

    clock = time.time

    def __init__(self) -> None:
        self.begun = self.clock()
        self.done = 0

    def update(self) -> float:
        self.done += 1
        return self.done / (self.clock() - self.begun)


def progress_is_shown() -> None:
    bar = Progress()
    assert all(bar.update() > 0 for _ in range(100))


def main() -> None:
    queues_time_out()
    waits_time_out()
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        processes_time_out_and_end(context)
        pools_work(context)
    threads_work()
    coroutines_time_out()
    trees_are_walked_copied_and_removed()
    names_and_secrets_differ()
    modules_are_found()
    times_are_stored()
    progress_is_shown()
    print("all is well")


if __name__ == "__main__":
    main()
