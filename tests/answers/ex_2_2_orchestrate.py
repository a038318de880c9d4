"""2.2: plan, work, synthesize."""

import asyncio

from labkit.patterns import ask, parse_plan

ID = "2.2"


async def plain_loop(client, goal, *, system):
    subtasks = parse_plan(
        await ask(client, f"Plan this, one subtask a line: {goal}", system=system)
    )
    results = [(task, await ask(client, f"Do this: {task}", system=system)) for task in subtasks]
    facts = "\n".join(result for _, result in results)
    return {
        "subtasks": subtasks,
        "results": results,
        "final": await ask(client, f"Sum up:\n{facts}", system=system),
    }


async def together(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(client, task, system=system)) for task in subtasks]
    results = [[task, done.result()] for task, done in zip(subtasks, tasks, strict=True)]
    final = await ask(client, f"{goal}\n{results}", system=system)
    return {"subtasks": tuple(subtasks), "results": tuple(results), "final": final}


async def one_conversation(client, goal, *, system):
    turns = []

    async def say(text):
        turns.append({"role": "user", "content": [{"type": "text", "text": text}]})
        reply = await client.messages.create(
            model="m", max_tokens=9, system=[{"type": "text", "text": system}], messages=turns
        )
        answer = "".join(block.text for block in reply.content if block.type == "text")
        turns.append({"role": "assistant", "content": answer})
        return answer

    subtasks = parse_plan(await say(f"My goal: {goal}"))
    results = []
    for subtask in subtasks:
        results.append((subtask, await say(f"Now: {subtask}")))
    return {"final": await say("Sum it all up."), "results": results, "subtasks": subtasks}


async def workers_see_the_whole_plan(client, goal, *, system):
    plan = await ask(client, f"Goal: {goal}", system=system)
    subtasks = parse_plan(plan)
    results = []
    for subtask in subtasks:
        prompt = f"The plan:\n{plan}\nSo far: {results}\nYour part: {subtask}"
        results.append((subtask, await ask(client, prompt, system=system)))
    final = await ask(client, f"Goal: {goal}\nPlan: {plan}\nDone: {results}", system=system)
    return dict(subtasks=subtasks, results=results, final=final)


RIGHT = [plain_loop, together, one_conversation, workers_see_the_whole_plan]


async def _steps(client, goal, system, *, worker_system=True, final_system=True, shown=None):
    subtasks = parse_plan(await ask(client, goal, system=system))
    worker = system if worker_system else None
    results = [(task, await ask(client, task, system=worker)) for task in subtasks]
    facts = "\n".join(result for _, result in (shown(results) if shown else results))
    final = await ask(client, f"Sum up:\n{facts}", system=system if final_system else None)
    return {"subtasks": subtasks, "results": results, "final": final}


async def no_goal_in_the_plan(client, goal, *, system):
    return await _steps(client, "Make a plan, one subtask a line.", system)


async def system_for_the_plan_only(client, goal, *, system):
    return await _steps(client, goal, system, worker_system=False, final_system=False)


async def system_not_for_the_synthesis(client, goal, *, system):
    return await _steps(client, goal, system, final_system=False)


async def synthesis_from_the_last_result(client, goal, *, system):
    return await _steps(client, goal, system, shown=lambda results: results[-1:])


async def synthesis_from_cut_results(client, goal, *, system):
    return await _steps(client, goal, system, shown=lambda rs: [(t, r[:100]) for t, r in rs])


async def no_synthesis(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    results = [(task, await ask(client, task, system=system)) for task in subtasks]
    return {"subtasks": subtasks, "results": results, "final": "\n".join(r for _, r in results)}


async def workers_get_the_goal(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    results = [(task, await ask(client, goal, system=system)) for task in subtasks]
    final = await ask(client, "\n".join(r for _, r in results), system=system)
    return {"subtasks": subtasks, "results": results, "final": final}


async def by_order_of_arrival(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    answers = []

    async def work(task):
        answers.append(await ask(client, task, system=system))

    await asyncio.gather(*map(work, subtasks))
    results = list(zip(subtasks, answers, strict=True))
    final = await ask(client, "\n".join(answers), system=system)
    return {"subtasks": subtasks, "results": results, "final": final}


async def results_without_subtasks(client, goal, *, system):
    done = await _steps(client, goal, system)
    return {**done, "results": [result for _, result in done["results"]]}


async def results_as_dict(client, goal, *, system):
    done = await _steps(client, goal, system)
    return {**done, "results": dict(done["results"])}


async def one_worker_for_all(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    answer = await ask(client, "\n".join(subtasks), system=system)
    final = await ask(client, answer, system=system)
    return {"subtasks": subtasks, "results": [(t, answer) for t in subtasks], "final": final}


async def plans_twice(client, goal, *, system):
    await ask(client, goal, system=system)
    return await _steps(client, goal, system)


async def only_the_final_text(client, goal, *, system):
    return (await _steps(client, goal, system))["final"]


async def carries_on_without_a_plan(client, goal, *, system):
    try:
        return await _steps(client, goal, system)
    except ValueError:
        return {"subtasks": [], "results": [], "final": ""}


async def goal_as_the_fallback_plan(client, goal, *, system):
    text = await ask(client, goal, system=system)
    try:
        subtasks = parse_plan(text)
    except ValueError:
        subtasks = [goal]
    results = [(task, await ask(client, task, system=system)) for task in subtasks]
    final = await ask(client, "\n".join(r for _, r in results), system=system)
    return {"subtasks": subtasks, "results": results, "final": final}


async def plan_in_a_task_group(client, goal, *, system):
    async with asyncio.TaskGroup() as group:
        done = group.create_task(_steps(client, goal, system))
    return done.result()


async def first_text_block_only(client, goal, *, system):
    async def say(prompt):
        reply = await client.messages.create(
            model="m",
            max_tokens=9,
            system=system,
            messages=[{"role": "user", "content": prompt}],
        )
        return next(block.text for block in reply.content if block.type == "text")

    subtasks = parse_plan(await ask(client, goal, system=system))
    results = [(task, await say(task)) for task in subtasks]
    final = await say("\n".join(result for _, result in results))
    return {"subtasks": subtasks, "results": results, "final": final}


async def every_line_a_subtask(client, goal, *, system):
    text = await ask(client, goal, system=system)
    subtasks = [line.strip() for line in text.splitlines() if line.strip()]
    if not subtasks:
        raise ValueError
    results = [(task, await ask(client, task, system=system)) for task in subtasks]
    final = await ask(client, "\n".join(r for _, r in results), system=system)
    return {"subtasks": subtasks, "results": results, "final": final}


async def drops_an_empty_result(client, goal, *, system):
    done = await _steps(client, goal, system)
    return {**done, "results": [(task, result) for task, result in done["results"] if result]}


async def asks_again_where_empty(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    results = []
    for task in subtasks:
        result = await ask(client, task, system=system)
        results.append((task, result or await ask(client, task, system=system)))
    final = await ask(client, str(results), system=system)
    return {"subtasks": subtasks, "results": results, "final": final}


async def no_await(client, goal, *, system):
    subtasks = parse_plan(await ask(client, goal, system=system))
    results = [(task, ask(client, task, system=system)) for task in subtasks]
    final = await ask(client, str(results), system=system)
    return {"subtasks": subtasks, "results": results, "final": final}


async def tidy_results(client, goal, *, system):
    done = await plain_loop(client, goal, system=system)
    return {**done, "results": [(task, result.strip()) for task, result in done["results"]]}


async def tidy_final_text(client, goal, *, system):
    done = await plain_loop(client, goal, system=system)
    return {**done, "final": done["final"].strip()}


WRONG = [
    (drops_an_empty_result, "an empty result's too"),
    (asks_again_where_empty, "2 + N calls"),
    (no_await, "an `await` is missing"),
    (tidy_results, "A result is the text of its worker's reply as it is"),
    (tidy_final_text, "`final` is the text of the synthesis call's reply as it is"),
    (no_goal_in_the_plan, "its prompt has to hold the goal"),
    (system_for_the_plan_only, "`system` goes with every call"),
    (system_not_for_the_synthesis, "`system` goes with every call"),
    (synthesis_from_the_last_result, "No call held every worker's result"),
    (synthesis_from_cut_results, "No call held every worker's result"),
    (no_synthesis, "No call held every worker's result"),
    (workers_get_the_goal, "gets a worker call whose prompt holds it"),
    (by_order_of_arrival, "beside a subtask that it does not answer"),
    (results_without_subtasks, "a list of pairs"),
    (results_as_dict, "a list of pairs"),
    (one_worker_for_all, "No call held every worker's result"),
    (plans_twice, "gets a worker call whose prompt holds it"),
    (only_the_final_text, "It returns a dict"),
    (carries_on_without_a_plan, "raises a ValueError"),
    (goal_as_the_fallback_plan, "raises a ValueError"),
    (plan_in_a_task_group, "wrapped in a group"),
    (first_text_block_only, "No call held every worker's result"),
    (every_line_a_subtask, "`subtasks` is the plan, as 2.1 reads it"),
]
