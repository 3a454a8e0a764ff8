"""The store goes back in time: an older copy is put in its place between two runs."""
import os
import shutil
import sqlite3
import time

from harness import BROKEN, World, until

HOW = ("the database alone, from an online backup", "the whole folder, as copied while nobody ran")


def copy_store(world, place, how):
    shutil.rmtree(place, ignore_errors=True)
    if how == HOW[1]:
        return shutil.copytree(world.server.data, place)
    os.makedirs(place)
    with sqlite3.connect(world.ledger.path) as base, sqlite3.connect(os.path.join(place, "sidevoice.db")) as out:
        base.backup(out)
    return place


def put_back(world, place):
    """As an administrator does: the copy's files over those that are there, without the newer database's log."""
    for name in os.listdir(world.server.data):
        if name.startswith("sidevoice.db"):
            os.remove(os.path.join(world.server.data, name))
    for name in os.listdir(place):
        shutil.copy(os.path.join(place, name), os.path.join(world.server.data, name))


def forget(client, events):
    """What was accepted after the copy is gone with it; the client of the test knows that, the oracle has to."""
    stored = {body["item"]["id"] for _, kind, body in events if kind == "item.put"}
    client.acknowledged = {item: answer for item, answer in client.acknowledged.items() if item in stored}


def once(world, place, how, meanwhile, faults):
    """`meanwhile`: somebody talks in the restored session first, until it has more numbers than the client knows."""
    if how == HOW[1]:
        client = world.client()
        world.start()
        client.connect()
        client.turn("My name is Anna Schmidt")
        world.server.kill()
        copy_store(world, place, how)
        world.start()
        client.come_back()
    else:
        world.start()
        client = world.client().connect()
        client.turn("My name is Anna Schmidt")
        copy_store(world, place, how)
    for text in ("hello there", "anna@example.com", "actually my name is Anna Weber"):
        client.turn(text)
    newest = client.shown.seq
    world.server.kill()
    put_back(world, place)
    world.start()
    began = time.monotonic()
    forget(client, world.ledger.events(client.session))
    other = None
    if meanwhile:
        other = world.client()
        other.session = client.session
        other.connect()
        while other.shown.seq <= newest:
            other.turn("please go on")
    errors, snapshots = client.shown.errors, client.shown.snapshots
    try:
        client.come_back()
        client.turn("are you there?")
    except (*BROKEN, AssertionError) as why:
        faults.append(f"the client could not go on: {why}")
    normal = time.monotonic() - began
    if client.shown.errors != errors:
        faults.append(f"the client got an error: {client.refused[-1:]}")
    if client.shown.snapshots == snapshots:
        faults.append("the client got no snapshot")
    for one in filter(None, (client, other)):
        try:
            until(lambda one=one: one.settle() and not one.faults(), "the views to agree", 15)
        except AssertionError:
            faults += one.faults()
        one.close()
    world.server.kill()
    return newest, normal


def run(binary, folder, table, short):
    world = World(binary, folder)
    try:
        for how in HOW[:1] if short else HOW:
            for meanwhile in (False, True):
                faults = []
                newest, normal = once(world, os.path.join(folder, "copy"), how, meanwhile, faults)
                saw = f"a snapshot instead of the rest behind number {newest}, no error"
                table.add([f"the store goes back in time ({how}); "
                           + ("the session has got new numbers since" if meanwhile else
                              "the client knows more than the store"), "1", saw,
                           f"{normal:.2f} s"], faults)
    finally:
        world.close()
