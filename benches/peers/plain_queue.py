"""A plain job queue on SQLite, as many programs have one: threads, a connection for each call, one commit for each.

Arguments: the database, the number of jobs, the number of workers. Prints jobs claimed and completed per second.
"""

import sqlite3
import sys
import threading
import time
from contextlib import closing

path, jobs, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def connect():
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return closing(connection)


def claim():
    with connect() as connection:
        connection.execute("BEGIN IMMEDIATE")
        row = connection.execute("SELECT id FROM jobs WHERE state = 'queued' ORDER BY id LIMIT 1").fetchone()
        if row:
            connection.execute("UPDATE jobs SET state = 'running' WHERE id = ?", row)
        connection.execute("COMMIT")
        return row


def complete(row):
    with connect() as connection:
        connection.execute("UPDATE jobs SET state = 'done' WHERE id = ? AND state = 'running'", row)


def work():
    while row := claim():
        complete(row)


# Open until the end: closing the last connection of all would tidy the write-ahead log up each time.
with connect() as connection:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE jobs (id INTEGER PRIMARY KEY, state TEXT NOT NULL, payload TEXT NOT NULL)")
    connection.execute("CREATE INDEX jobs_state ON jobs (state, id)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO jobs (state, payload) VALUES ('queued', ?)", [("x" * 500,)] * jobs)
    connection.execute("COMMIT")

    threads = [threading.Thread(target=work) for _ in range(workers)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(jobs / (time.monotonic() - start))
