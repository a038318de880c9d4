"""3.1: all together, then the lines."""

import asyncio
import re

ID = "3.1"


async def plain(worker, subtasks):
    results = await asyncio.gather(*[worker(subtask) for subtask in subtasks])
    parts = []
    for number, result in enumerate(results, start=1):
        word, length = result.split()
        print(f"worker {number}: {result}")
        parts.append(f"{word}-{length.strip('()')}")
    print("final:", " | ".join(parts))
    return " | ".join(parts)


async def one_print(worker, subtasks):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker(subtask)) for subtask in subtasks]
    lines = [f"worker {n + 1}: {task.result()}" for n, task in enumerate(tasks)]
    final = " | ".join(re.sub(r" \((\d+)\)", r"-\1", task.result()) for task in tasks)
    print(*lines, f"final: {final}", sep="\n")
    return final


async def slots(worker, subtasks):
    slots = {}

    async def fill(place):
        slots[place] = await worker(subtasks[place])

    await asyncio.gather(*map(fill, range(len(subtasks))))
    final = ""
    for place in range(len(subtasks)):
        print("worker ", place + 1, ": ", slots[place], sep="")
        word, _, rest = slots[place].partition(" (")
        final += (" | " if final else "") + word + "-" + rest[:-1]
    print("final: " + final)
    return final


RIGHT = [plain, one_print, slots]


async def in_a_row(worker, subtasks):
    results = [await worker(subtask) for subtask in subtasks]
    return report(results)


def report(results, number=1):
    for place, result in enumerate(results, number):
        print(f"worker {place}: {result}")
    final = " | ".join(r.replace(" (", "-").rstrip(")") for r in results)
    print(f"final: {final}")
    return final


async def by_arrival(worker, subtasks):
    results = []

    async def note(subtask):
        results.append(await worker(subtask))

    await asyncio.gather(*map(note, subtasks))
    return report(results)


async def prints_as_they_come(worker, subtasks):
    async def tell(number, subtask):
        result = await worker(subtask)
        print(f"worker {number}: {result}")
        return result

    pairs = enumerate(subtasks, 1)
    results = await asyncio.gather(*(tell(number, subtask) for number, subtask in pairs))
    final = " | ".join(r.replace(" (", "-").rstrip(")") for r in results)
    print(f"final: {final}")
    return final


async def counts_from_zero(worker, subtasks):
    return report(await asyncio.gather(*map(worker, subtasks)), number=0)


async def measures_the_word(worker, subtasks):
    results = await asyncio.gather(*map(worker, subtasks))
    for number, result in enumerate(results, 1):
        print(f"worker {number}: {result}")
    words = [result.split()[0] for result in results]
    final = " | ".join(f"{word}-{len(word)}" for word in words)
    print(f"final: {final}")
    return final


async def one_digit(worker, subtasks):
    results = await asyncio.gather(*map(worker, subtasks))
    for number, result in enumerate(results, 1):
        print(f"worker {number}: {result}")
    final = " | ".join(f"{r.split()[0]}-{r[-2]}" for r in results)
    print(f"final: {final}")
    return final


async def returns_with_the_label(worker, subtasks):
    return "final: " + report(await asyncio.gather(*map(worker, subtasks)))


async def returns_nothing(worker, subtasks):
    report(await asyncio.gather(*map(worker, subtasks)))


async def silent(worker, subtasks):
    results = await asyncio.gather(*map(worker, subtasks))
    return " | ".join(r.replace(" (", "-").rstrip(")") for r in results)


async def nothing_for_nothing(worker, subtasks):
    if not subtasks:
        return ""
    return report(await asyncio.gather(*map(worker, subtasks)))


WRONG = [
    (in_a_row, "All workers run together"),
    (by_arrival, "in dispatch order"),
    (prints_as_they_come, "while a worker still ran"),
    (counts_from_zero, "The lines are not as the exercise has them"),
    (measures_the_word, "The lines are not as the exercise has them"),
    (one_digit, "The lines are not as the exercise has them"),
    (returns_with_the_label, "without `final: ` in front"),
    (returns_nothing, "without `final: ` in front"),
    (silent, "The lines are not as the exercise has them"),
    (nothing_for_nothing, "just the line `final: ` is printed"),
]
