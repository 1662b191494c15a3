"""From the enqueue of a job to its start in a plain queue on SQLite whose worker looks once a second.

Arguments: the database, the number of starts, jobs that wait and are not due. Prints the milliseconds of each start, one a line.
"""

import random
import sqlite3
import sys
import threading
import time
from contextlib import closing

path, starts, waiting = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
POLL = 1.0


def connect():
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return closing(connection)


def claim():
    with connect() as connection:
        connection.execute("BEGIN IMMEDIATE")
        row = connection.execute(
            "SELECT id, enqueued_at FROM jobs WHERE state = 'queued' AND due_at <= ? ORDER BY id LIMIT 1", (time.time(),)
        ).fetchone()
        if row:
            connection.execute("UPDATE jobs SET state = 'running' WHERE id = ?", (row[0],))
        connection.execute("COMMIT")
        return row


def work(count):
    while count:
        if row := claim():
            print((time.time() - row[1]) * 1000)
            count -= 1
        else:
            time.sleep(POLL)


with connect() as connection:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY, state TEXT NOT NULL, due_at REAL NOT NULL, enqueued_at REAL NOT NULL)"
    )
    connection.execute("BEGIN")
    later = time.time() + 86400
    connection.executemany("INSERT INTO jobs (state, due_at, enqueued_at) VALUES ('queued', ?, 0)", [(later,)] * waiting)
    connection.execute("COMMIT")

    worker = threading.Thread(target=work, args=(starts,))
    worker.start()
    for _ in range(starts):
        time.sleep(random.uniform(0, POLL))
        with connect() as other:
            now = time.time()
            other.execute("INSERT INTO jobs (state, due_at, enqueued_at) VALUES ('queued', ?, ?)", (now, now))
    worker.join()
