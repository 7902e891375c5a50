"""Forty writers of az's token cache at once: az_writers.py FILE ROUNDS

Each process adds rows with the classes, and the lock, that az 2.91 itself uses. Prints the number of writes made, and
the number that the library gave up.
"""

import multiprocessing
import sys

from msal_extensions import FilePersistence, PersistedTokenCache

path, rounds = sys.argv[1], int(sys.argv[2])
WRITERS = 40


def write(number, start, results):
    start.wait()
    made = failed = 0
    for round in range(rounds):
        try:
            cache = PersistedTokenCache(FilePersistence(path))
            entry = {
                "home_account_id": f"writer{number}.tenant",
                "environment": "login.example",
                "realm": "tenant",
                "local_account_id": f"writer{number}",
                "username": f"writer{number}@other.example",
                "authority_type": "MSSTS",
            }
            cache.modify("Account", entry, {"round": str(round)})
            made += 1
        except Exception:
            failed += 1
    results.put((made, failed))


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(WRITERS), context.Queue()
    writers = [context.Process(target=write, args=(number, start, results)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    outcomes = [results.get() for _ in writers]
    for writer in writers:
        writer.join()
    print(sum(made for made, _ in outcomes), sum(failed for _, failed in outcomes))
