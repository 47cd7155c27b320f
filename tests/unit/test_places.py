"""Tenants take turns, and none takes what the others need."""

import asyncio

from remanence.server.places import Places


class Room:
    """Who came in, in their order, and stays until told to leave."""

    def __init__(self, **sizes):
        self.places = Places(**sizes)
        self.came = []
        self.staying = []

    def come(self, *tenants):
        tasks = [asyncio.ensure_future(self._stay(tenant)) for tenant in tenants]
        self.staying += tasks
        return tasks

    async def _stay(self, tenant):
        async with self.places.inside(tenant):
            self.came.append(tenant)
            await asyncio.Future()

    async def settled(self):
        for _ in range(10):
            await asyncio.sleep(0)
        return "".join(self.came)

    async def leave(self, *tasks):
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return await self.settled()


def run(story):
    asyncio.run(asyncio.wait_for(story, 60))


def test_each_tenant_has_so_many_and_they_take_turns():
    async def story():
        room = Room(at_once=3, each=2, most=100)
        a = room.come(*"aaaa")
        assert await room.settled() == "aa"
        b, c = room.come(*"bbb"), room.come("c")
        assert await room.settled() == "aab"
        assert await room.leave(a[0]) == "aabc"  # b had its turn
        assert await room.leave(*c) == "aabca"
        assert await room.leave(b[0]) == "aabcab"
        assert await room.leave(a[1]) == "aabcaba"
        await room.leave(*a, *b)
        assert not room.places._here and not room.places._inside and not room.places._waiting

    run(story())


def test_who_leaves_while_waiting_leaves_nothing():
    async def story():
        room = Room(at_once=1, each=1, most=100)
        first, second, third = room.come(*"abc")
        await room.settled()
        assert await room.leave(second) == "a"
        first.cancel()
        await asyncio.sleep(0)  # c is let in, and leaves at the same moment
        third.cancel()
        await asyncio.wait({first, third})
        room.come("d")
        assert (await room.settled())[-1] == "d"
        await room.leave(room.staying[-1])
        assert not room.places._here and not room.places._inside and not room.places._waiting

    run(story())


def test_there_is_always_room_for_who_has_none():
    async def story():
        room = Room(at_once=2, each=1, most=16)
        held = {}
        for tenant in "abcd":
            held[tenant] = 0
            while room.places.has_room(tenant):
                room.come(tenant)
                await room.settled()
                held[tenant] += 1
        assert held == {"a": 8, "b": 4, "c": 2, "d": 1}
        assert room.places.has_room("e")
        await room.leave(*room.staying)

    run(story())
