"""A memory on a server that goes away, loses connections, is killed; and clients that are killed meanwhile."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from remanence import Memory, RemoteMemory
from remanence.errors import ClosedError, InvalidInputError, ServerUnavailableError
from remanence.testing.server import free_port, running_server


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def url(port):
    return f"http://127.0.0.1:{port}"


def contents(memory):
    return [record.content for record in reversed(memory.list(limit=10_000))]


def test_what_is_said_while_the_server_is_away_arrives_later_once_and_in_order(tmp_path, port, url):
    spool = tmp_path / "hooks" / "spool.db"
    with RemoteMemory("team", url=url, spool=spool) as memory:
        with running_server(tmp_path / "memory.db", port=port):
            assert memory.remember("said 0").action == "added"
        away = memory.remember("said 1", tags=["t"], key="k", ttl=3600)
        assert away.action == "spooled" and away.record.content == "said 1" and away.record.tags == ("t",)
        batch = memory.remember_many(["said 2", {"content": "said 3", "session_id": "s"}])
        assert [done.action for done in batch] == ["spooled", "spooled"]
        assert memory.at("other").remember("elsewhere").action == "spooled"
        assert memory.spooled() == 4
        with pytest.raises(InvalidInputError):  # what is wrong is said at once
            memory.remember("fine", importance=2)
        for verb in (
            lambda: memory.recall("said"),
            lambda: memory.list(),
            lambda: memory.kv.set("k", 1),
            lambda: memory.forget("somebody's id"),  # everything would be taken out of the spool first
        ):
            with pytest.raises(ServerUnavailableError, match="nothing was sent"):
                verb()
        with running_server(tmp_path / "memory.db", port=port):
            memory.remember("said 4")  # may come before the spool is empty, and waits behind it then
            memory.close()
            with RemoteMemory("team", url=url, spool=spool) as again:
                assert again.spooled() == 0
                assert contents(again) == [f"said {i}" for i in range(5)]
                assert contents(again.at("other")) == ["elsewhere"]
                (keyed,) = again.history(key="k")
                assert keyed.expires_at is not None and keyed.valid_from is not None
                assert keyed.valid_from == away.record.valid_from < keyed.created_at
                assert sum(record.reinforced_count for record in again.list()) == 0


def test_without_a_spool_remembering_fails_and_keeps_nothing(tmp_path, url):
    with RemoteMemory("team", url=url, timeout=1) as memory:
        with pytest.raises(ServerUnavailableError, match="nothing was sent"):
            memory.remember("lost")
        assert memory.spooled() == 0
    assert list(tmp_path.iterdir()) == []


class Forgetful(threading.Thread):
    """A proxy that passes requests on, and may lose the answer."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.losing = 0
        self.lost = 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            answers = threading.Thread(target=self.answer, args=(server, client), daemon=True)
            answers.start()
            while sent := client.recv(1 << 20):
                server.sendall(sent)
            server.shutdown(socket.SHUT_RDWR)
            answers.join()

    def answer(self, server, client):
        while said := server.recv(1 << 20):
            if self.losing:
                self.losing -= 1
                self.lost += 1
                break
            client.sendall(said)
        client.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.join()


@pytest.fixture
def proxy(tmp_path, port):
    with running_server(tmp_path / "memory.db", port=port):
        proxy = Forgetful(port)
        yield proxy
        proxy.close()


def test_an_answer_that_was_lost_makes_nothing_twice(proxy):
    with RemoteMemory("team", url=proxy.url) as memory:
        proxy.losing = 2
        done = memory.remember("We chose PostgreSQL.")
        assert done.action == "replayed" and proxy.lost == 2
        assert memory.get(done.id).reinforced_count == 0
        proxy.losing = 1
        again = memory.remember("We chose PostgreSQL.")
        assert again.id == done.id and memory.get(done.id).reinforced_count == 1
        proxy.losing = 1
        results = memory.remember_many(["one", "two", "one"])
        assert {result.action for result in results} == {"replayed"}
        assert [result.record.content for result in results] == ["one", "two", "one"]
        assert memory.stats().memories == 3
        proxy.losing = 3
        assert memory.recall("PostgreSQL")[0].content == "We chose PostgreSQL."


def test_what_cannot_be_sent_twice_leaves_the_doubt_to_the_caller(proxy):
    with RemoteMemory("team", url=proxy.url) as memory:
        id = memory.remember("kept").id
        for number, verb in enumerate(
            (
                lambda: memory.kv.set("k", 1),
                lambda: memory.channel("c").post("hello"),
                lambda: memory.update(id, importance=0.9),
                lambda: memory.retract(id),
                lambda: memory.forget(id),
            )
        ):
            proxy.losing = 1
            with pytest.raises(ServerUnavailableError, match="unknown whether"):
                verb()
            assert proxy.lost == number + 1
        assert memory.kv.entry("k").version == 1
        assert [post.data for post in memory.channel("c").posts()] == ["hello"]
        assert memory.stats().versions == 0


def test_a_lost_answer_and_a_spool_make_nothing_twice(proxy, tmp_path):
    with RemoteMemory("team", url=proxy.url, spool=tmp_path / "spool.db") as memory:
        proxy.losing = 1
        assert memory.remember("first").action == "spooled"
        memory.close()
    with RemoteMemory("team", url=proxy.url) as memory:
        (record,) = memory.list()
        assert (record.content, record.version, record.reinforced_count) == ("first", 1, 0)


CLIENT = """
import sys
from remanence import Memory
memory = Memory("team", url=sys.argv[1], spool=sys.argv[2], timeout=2)
for i in range(100_000):
    if i % 5 == 4:
        memory.remember_many([f"{sys.argv[3]} {i} a", f"{sys.argv[3]} {i} b"])
    else:
        memory.remember(f"{sys.argv[3]} {i}", session_id=sys.argv[3])
    print(i, flush=True)
"""


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled_when_clients_and_servers_are_killed(tmp_path, port, url):
    spool, chance = tmp_path / "spool.db", random.Random(11)
    acknowledged = {}
    for round_number in range(4):
        with running_server(tmp_path / "memory.db", port=port) as server:
            clients = {
                f"round {round_number} client {n}": subprocess.Popen(
                    [sys.executable, "-c", CLIENT, url, str(spool), f"round {round_number} client {n}"],
                    stdout=subprocess.PIPE,
                    text=True,
                )
                for n in range(2)
            }
            lines = {name: [client.stdout.readline()] for name, client in clients.items()}
            time.sleep(chance.uniform(0.05, 0.4))  # the kills must come at no particular moment
            if round_number % 2:
                server.stop(signal.SIGKILL)
                time.sleep(chance.uniform(0.05, 0.3))
        for name, client in clients.items():
            client.kill()
            lines[name] += client.stdout.read().splitlines(keepends=True)
            client.wait()
            client.stdout.close()
            acknowledged[name] = [int(line) for line in lines[name] if line.endswith("\n")]
    with running_server(tmp_path / "memory.db", port=port), RemoteMemory("team", url=url) as reader:
        with RemoteMemory("team", url=url, spool=spool) as memory:
            until = time.monotonic() + 120
            while memory.spooled() and time.monotonic() < until:
                memory.stats()  # hearing of the server, it goes on at once
        seen = Counter()
        after = None
        order = []
        while page := reader.list(limit=1000, after=after):
            after = page[-1].id
            order += [record.content for record in page]
            seen.update({record.content: 1 + record.reinforced_count for record in page})
    assert set(seen.values()) == {1}
    order.reverse()
    for name, numbers in acknowledged.items():
        assert numbers == list(range(len(numbers))) and numbers
        expected = [
            text
            for i in numbers
            for text in ([f"{name} {i} a", f"{name} {i} b"] if i % 5 == 4 else [f"{name} {i}"])
        ]
        mine = [text for text in order if text.startswith(f"{name} ")]
        assert mine[: len(expected)] == expected
        assert len(mine) - len(expected) <= 2  # the one that was under way


def script(body, *arguments):
    return subprocess.run(
        [sys.executable, "-W", "default", "-c", body, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_short_process_that_never_closes_sends_what_waits_when_it_ends(tmp_path, port, url):
    body = (
        "import sys; from remanence import Memory\n"
        "memory = Memory('team', url=sys.argv[1], spool=sys.argv[2])\n"
        "print(memory.remember(sys.argv[3]).action)"
    )
    said = script(body, url, tmp_path / "spool.db", "first")
    assert (said.returncode, said.stdout, said.stderr) == (0, "spooled\n", "")
    with running_server(tmp_path / "memory.db", port=port):
        said = script(body, url, tmp_path / "spool.db", "second")
        assert (said.returncode, said.stderr) == (0, "") and said.stdout in ("spooled\n", "added\n")
        with Memory("team", url=url) as memory:
            assert contents(memory) == ["first", "second"]


def test_a_memory_that_is_not_closed_leaves_no_complaint(tmp_path, port, url):
    with running_server(tmp_path / "memory.db", port=port):
        body = (
            "import asyncio, sys; from remanence import AsyncMemory, Memory\n"
            "memory = Memory('team', url=sys.argv[1]); memory.remember('x y'); memory.recall('x')\n"
            "other = AsyncMemory('team', url=sys.argv[1])\n"
            "for _ in range(3): asyncio.run(other.recall('x'))"
        )
        done = script(body, url)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_is_refused_and_may_open_its_own(tmp_path, port, url):
    with running_server(tmp_path / "memory.db", port=port):
        memory = RemoteMemory("team", url=url, spool=tmp_path / "spool.db")
        memory.remember("The pump is blue.")
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            failed = 1
            try:
                for verb in (lambda: memory.recall("pump"), lambda: memory.remember("x"), memory.spooled):
                    with pytest.raises(ClosedError, match="fork"):
                        verb()
                memory.close()
                with RemoteMemory("team", url=url, spool=tmp_path / "spool.db") as own:
                    own.remember("The child was here.")
                failed = 0
            finally:
                os._exit(failed)
        assert os.waitpid(child, 0)[1] == 0
        assert contents(memory) == ["The pump is blue.", "The child was here."]
        memory.close()
