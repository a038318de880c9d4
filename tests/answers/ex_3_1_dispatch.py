"""3.1: all together, then the lines."""

import asyncio
import re
import sys

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


async def last_started_first(worker, subtasks):
    tasks = [asyncio.ensure_future(worker(subtask)) for subtask in reversed(subtasks)]
    results = (await asyncio.gather(*tasks))[::-1]
    return report(results)


async def by_name(worker, subtasks):
    return report(await asyncio.gather(*(worker(task=subtask) for subtask in subtasks)))


async def one_write(worker, subtasks):
    done, lines = await asyncio.gather(*map(worker, subtasks)), []
    lines += [f"worker {number}: {result}\n" for number, result in enumerate(done, 1)]
    final = " | ".join("-".join(result[:-1].split(" (")) for result in done)
    sys.stdout.write("".join([*lines, "final: ", final, "\n"]))
    return final


RIGHT = [plain, one_print, slots, last_started_first, by_name, one_write]


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


async def by_subtask(worker, subtasks):
    async def note(subtask):
        reports[subtask] = await worker(subtask)

    reports = {}
    await asyncio.gather(*map(note, subtasks))
    return report([reports[subtask] for subtask in subtasks])


async def one_line_for_equals(worker, subtasks):
    async def note(subtask):
        reports[subtask] = await worker(subtask)

    reports = {}
    await asyncio.gather(*map(note, subtasks))
    return report([reports[subtask] for subtask in dict.fromkeys(subtasks)])


async def equals_run_once(worker, subtasks):
    different = list(dict.fromkeys(subtasks))
    reports = dict(zip(different, await asyncio.gather(*map(worker, different)), strict=True))
    return report([reports[subtask] for subtask in subtasks])


async def ten_at_a_time(worker, subtasks):
    places = asyncio.Semaphore(10)

    async def run(subtask):
        async with places:
            return await worker(subtask)

    return report(await asyncio.gather(*map(run, subtasks)))


async def no_star(worker, subtasks):
    return report(await asyncio.gather([worker(subtask) for subtask in subtasks]))


async def no_star_on_a_generator(worker, subtasks):
    return report(await asyncio.gather(worker(subtask) for subtask in subtasks))


async def no_await(worker, subtasks):
    return report(asyncio.gather(*map(worker, subtasks)))


async def no_await_on_the_worker(worker, subtasks):
    return report([worker(subtask) for subtask in subtasks])


async def tasks_for_results(worker, subtasks):
    tasks = [asyncio.create_task(worker(subtask)) for subtask in subtasks]
    await asyncio.wait(tasks)
    return " | ".join(tasks)


async def a_blank_line_more(worker, subtasks):
    final = report(await asyncio.gather(*map(worker, subtasks)))
    print()
    return final


async def a_line_before_the_others(worker, subtasks):
    async def tell(subtask):
        result = await worker(subtask)
        print("one is done")
        return result

    return report(await asyncio.gather(*map(tell, subtasks)))


async def looks_now_and_then(worker, subtasks):
    tasks = [asyncio.create_task(worker(subtask)) for subtask in subtasks]
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0.3)
    return report([task.result() for task in tasks])


async def waits_for_none(worker, subtasks):
    tasks = [asyncio.create_task(worker(subtask)) for subtask in subtasks]
    return report([task.result() for task in tasks])


WRONG = [
    (in_a_row, "All workers run together"),
    (by_arrival, "in the order of arrival"),
    (prints_as_they_come, "while a worker still ran"),
    (counts_from_zero, "count the workers from 1"),
    (measures_the_word, "The final line is not as the exercise has it"),
    (one_digit, "The final line is not as the exercise has it"),
    (returns_with_the_label, "without `final: ` in front"),
    (returns_nothing, "It returned None"),
    (silent, "The lines are not as the exercise has them"),
    (nothing_for_nothing, "just the line `final: ` is printed"),
    (by_subtask, "each has a line of its own"),
    (one_line_for_equals, "each has a line of its own"),
    (equals_run_once, "two equal ones are still two calls"),
    (ten_at_a_time, "Nobody asked for a cap here"),
    (no_star, "with a star in front of the list"),
    (no_star_on_a_generator, "needs a star"),
    (no_await, "An `await` is missing"),
    (no_await_on_the_worker, "An `await` is missing"),
    (tasks_for_results, "`await` gives the result"),
    (a_blank_line_more, "the white space is not"),
    (a_line_before_the_others, "while a worker still ran"),
    (looks_now_and_then, "notices late"),
    (waits_for_none, "before the task is done"),
]
