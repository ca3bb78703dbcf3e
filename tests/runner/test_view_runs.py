"""Runs in private views of the working directory, each way in which they can be had."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from views import SAME_PATH, WAYS, for_each, opened

from processes import is_alive, wait_for, wait_for_number

site = for_each(WAYS)
over_the_same_path = for_each(SAME_PATH)

RUN = "import os, time\nrun = os.environ['_SEEDPROOF_RUN']\n"
SAY_PID = RUN + "open(run + '/pid', 'w').write(f'{os.getpid()}\\n')\n"
HANG = SAY_PID + "while True: time.sleep(60)\n"
AS_ALONE = """
import fcntl, json, mmap, os, pathlib, shutil, sqlite3, subprocess, sys
done = []
with open('log.txt', 'a') as log: log.write('more\\n')
done.append(open('log.txt').read())
os.remove('data/gone.txt')
done.append(os.path.exists('data/gone.txt'))
os.replace('a.txt', 'b.txt')
done.append(open('b.txt').read())
shutil.rmtree('cache'); os.mkdir('cache'); pathlib.Path('cache/new').write_text('n')
done.append(os.listdir('cache'))
shutil.move('models', 'models.old')
done.append(sorted(map(str, pathlib.Path('models.old').rglob('*'))))
with open('map.bin', 'r+b') as file, mmap.mmap(file.fileno(), 0) as view: view[:2] = b'zz'
done.append(open('map.bin').read())
base = sqlite3.connect('base.db')
base.execute('create table t (a)'); base.execute('insert into t values (7)'); base.commit()
done.append(base.execute('select a from t').fetchall()); base.close()
lock = open('lock', 'w'); fcntl.flock(lock, fcntl.LOCK_EX)
other = "import fcntl, sys\\ntry: fcntl.flock(open('lock'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
other += "\\nexcept BlockingIOError: sys.exit(7)"
done.append(subprocess.run([sys.executable, '-c', other]).returncode)
os.link('b.txt', 'c.txt'); open('c.txt', 'a').write('both')
done.append(open('b.txt').read())
os.symlink('b.txt', 'link'); done.append(open('link').read())
os.mkfifo('fifo'); os.chmod('b.txt', 0o640); done.append(os.stat('b.txt').st_mode)
os.chdir('data'); open('here', 'w').write('h'); done.append(os.listdir('.'))
os.mkdir('shut'); open('shut/in', 'w').write('i'); os.chmod('shut', 0)
print(json.dumps(done))
"""


def fill(site):
    """The files that AS_ALONE works on."""
    for name in ("log.txt", "data/gone.txt", "a.txt", "cache/old", "models/deep/m"):
        site.write(name, "old\n")
    site.write("map.bin", "abcdef")


def test_a_program_finds_the_directory_as_it_is(site):
    site.write("data/inner.txt", "inner\n")
    program = "import os; print(sorted(os.listdir('.')), open('data/inner.txt').read())"
    assert site(program).out.replace("'.seedproof', ", "") == "['data', 'read.txt'] inner\n\n"


def test_what_it_writes_is_kept_and_the_directory_is_untouched(site):
    before = site.facts()
    ended = site("import os; os.mkdir('o'); open('o/a', 'w').write('x'); open('read.txt', 'a')")
    assert ended.files == {"o/a": "x"}
    assert site.facts() == before


def test_changed_files_are_kept_whole(site):
    assert site("open('read.txt', 'a').write('new')").files == {"read.txt": "old\nnew"}


def test_files_that_are_gone_are_named(site):
    site.write("d/e/f", "f")
    ended = site("import os, shutil; os.remove('read.txt'); shutil.rmtree('d')")
    assert ended.gone == ["d/e/f", "read.txt"]
    assert ended.files == {}


def test_a_directory_made_anew_hides_what_was_in_it(site):
    site.write("d/old", "old")
    program = "import os, shutil; shutil.rmtree('d'); os.mkdir('d'); open('d/new', 'w')"
    ended = site(program + "; print(os.listdir('d'))")
    assert ended.out == "['new']\n"
    assert (ended.gone, ended.files) == (["d/old"], {"d/new": ""})


def test_a_file_in_place_of_a_directory_and_the_other_way_round(site):
    site.write("d/old", "old")
    program = "import os, shutil; shutil.rmtree('d'); open('d', 'w').write('file')\n"
    ended = site(program + "os.remove('read.txt'); os.mkdir('read.txt'); open('read.txt/a', 'w')")
    assert ended.gone == ["d/old", "read.txt"]
    assert ended.files == {"d": "file", "read.txt/a": ""}


def test_a_program_behaves_as_it_would_alone(site):
    fill(site)
    before = site.facts()
    ended = site(AS_ALONE)
    assert ended.exit["returncode"] == 0, ended.err
    with opened(site.way, site.namespace) as other:
        fill(other)
        assert json.loads(ended.out) == json.loads(other.python(AS_ALONE))
    assert site.facts() == before


def test_what_such_a_program_leaves_is_kept(site):
    fill(site)
    ended = site(AS_ALONE)
    written = {"b.txt", "base.db", "c.txt", "cache/new", "data/here", "data/shut/in", "link"}
    written |= {"lock", "log.txt", "map.bin", "models.old/deep/m"}
    assert ended.files.keys() == written
    assert (ended.run / "files" / "link").readlink() == Path("b.txt")
    assert ended.gone == ["a.txt", "cache/old", "data/gone.txt", "models/deep/m"]


@pytest.mark.parametrize("way", [way for way in WAYS if way != ("overlay", "user")])
def test_a_directory_can_be_renamed(way):
    with opened(*way) as site:
        site.write("d/e/f", "f")
        program = "import os; os.rename('d', 'moved'); open('moved/e/g', 'w').write('g')\n"
        ended = site(program + "os.rename('moved/e', 'moved/h')\nprint(os.listdir('moved/h'))")
        assert sorted(ended.out) == sorted("['f', 'g']\n")
        assert (ended.gone, ended.files) == (["d/e/f"], {"moved/h/f": "f", "moved/h/g": "g"})


@pytest.mark.parametrize("way", [way for way in WAYS if way != ("overlay", "user")])
def test_hard_links_stay_together(way):
    with opened(*way) as site:
        site.write("one", "1")
        os.link(site.directory / "one", site.directory / "two")
        assert site("open('one', 'a').write('+'); print(open('two').read())").out == "1+\n"


def test_the_program_works_at_the_same_path(over_the_same_path):
    site = over_the_same_path
    site.write("script.py", "import os; print(os.getcwd()); print(__file__)")
    path = site.directory / "script.py"
    program = "import runpy, sys; runpy.run_path(sys.argv[1])"
    assert site(program, str(path)).out == f"{site.directory}\n{path}\n"


def test_runs_side_by_side_do_not_see_each_other(site):
    program = RUN + (
        "import sys; open(sys.argv[1], 'w').close()\n"
        "open(run + '/written', 'w').close()\n"
        "while not os.path.exists(run + '/go'): time.sleep(0.01)\n"
        "print(sorted(set(os.listdir('.')) - {'.seedproof'}))"
    )
    both = [site.start(program, name) for name in ("one", "two")]
    for each in both:
        wait_for((each.run / "written").exists)
    for each in both:
        (each.run / "go").touch()
    assert [each.end().out for each in both] == ["['one', 'read.txt']\n", "['read.txt', 'two']\n"]


def test_of_the_directory_with_all_runs_only_the_own_one_is_seen(over_the_same_path):
    site = over_the_same_path
    site("pass")
    program = RUN + "print([path for path, _, _ in os.walk('.seedproof') if path.endswith('arm')])"
    program += "\nprint(os.listdir('.seedproof/checks/one/arm'), os.path.samefile(run, '"
    ended = site(program + ".seedproof/checks/one/arm/1'))")
    assert ended.out == "['.seedproof/checks/one/arm']\n['1'] True\n"


def test_what_goes_to_the_run_leaves_the_view_at_once(site):
    started = site.start(HANG)
    assert is_alive(wait_for_number(started.run / "pid"))


def test_the_directory_itself_is_as_it_was(site):
    site.directory.chmod(0o751)
    os.utime(site.directory, ns=(1_000_000_007, 2_000_000_011))
    program = (
        "import os; f = os.stat('.'); print(oct(f.st_mode), f.st_uid, f.st_gid, f.st_mtime_ns)"
    )
    assert site(program).out == site.python(program)


def test_rights_and_users_are_those_that_a_program_has_alone(site):
    program = "import os; print(os.getuid(), os.getgid()); lines = open('/proc/self/status')\n"
    program += "print([l for l in lines if l.startswith(('CapInh', 'CapPrm', 'CapEff', 'CapAmb'))])"
    assert site(program).out == site.python(program)


def test_what_is_where_is_told_beside_the_run(site):
    ended = site("import os; print(os.getcwd())")
    told = json.loads((ended.run / "view.json").read_text())
    assert told["root"] + "\n" == ended.out
    assert told["directory"] == str(site.directory)
    assert (told["way"], told["namespace"]) == (site.way, site.namespace)


def test_nothing_is_left_of_a_view(site):
    site("open('large', 'w').write('x' * 100_000)")
    assert site.left() == []


def test_what_hinders_the_keeping_is_told_and_the_end_is_known(site):
    ended = site(RUN + "open(run + '/files', 'w'); open('a', 'w'); raise SystemExit(7)")
    assert ended.exit["returncode"] == 7
    assert "files" in ended.exit["unkept"]
    assert site.left() == []


def test_a_daemon_of_a_run_in_a_view_ends_with_it(site):
    daemon = RUN + (
        "if os.fork():\n    while not os.path.exists(run + '/pid'): time.sleep(0.01)\n"
        "    os._exit(0)\nos.setsid(); os.environ.clear()\n"
    )
    ended = site(daemon + HANG.replace(RUN, ""))
    assert not is_alive(wait_for_number(ended.run / "pid"))


@pytest.mark.parametrize("way", WAYS)
def test_any_name_of_a_directory_will_do(way):
    with opened(*way, "a,b:c\\d with blanks,\na line and é") as site:
        assert site("open('a', 'w').write(open('read.txt').read())").files == {"a": "old\n"}


def test_a_view_that_cannot_be_made_is_trouble_and_starts_nothing(site):
    ended = site("print('started')", place="/proc/1/nowhere")
    assert ended.exit["returncode"] is None
    assert ended.exit["trouble"]
    assert not (ended.run / "stdout.log").exists() or ended.out == ""


def test_a_view_that_cannot_be_entered_is_trouble_too():
    with opened("overlay", "user") as site:
        ended = site("print('started')", options="no_such_option")
        assert ended.exit["trouble"].startswith("no private view: [Errno 22] Invalid argument")
        assert (ended.out, site.left()) == ("", [])
