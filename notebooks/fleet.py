"""Review a folder with a fleet: print the plan, what stands, and what was caught.

    python fleet.py [FOLDER] [--live]

Without --live the scripted reviewers answer; with it the API, by the key in ANTHROPIC_API_KEY.
"""

import argparse
import asyncio
import json
from pathlib import Path

from labkit import UsageError, connect, patterns
from labkit.scripts.reviewers import FLEET_OF_TEN


def read(folder):
    """Read every Python file of a folder: its name and its whole text."""
    return {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.py"))}


def batch(sources):
    """Plan the full batch: a spec for each file, with an id of its own."""
    names = enumerate(sources, 1)
    return [{"id": n, "topic": Path(f).stem.replace("_", "-"), "path": f} for n, f in names]


def question(spec, sources, feedback):
    """Write the prompt for one spec, with what was wrong the last time, if anything."""
    again = [f"Your last answer was sent back: {feedback}"] if feedback else []
    lines = [
        f"Review {spec['topic']}.",
        "Find the worst fault in this file. As evidence give path:line, and quote that line.",
        *again,
        f'<file path="{spec["path"]}">',
        sources[spec["path"]],
        "</file>",
    ]
    return "\n".join(lines)


def form():
    """Describe the form of a finding: three texts, and nothing else."""
    names = ["claim", "evidence", "quote"]
    fields = {name: {"type": "string"} for name in names}
    schema = {"type": "object", "properties": fields, "required": names}
    return {"format": {"type": "json_schema", "schema": {**schema, "additionalProperties": False}}}


def reviewer(client, sources):
    """Make the worker: it asks about one file and brings a finding of its spec."""

    async def review(spec, feedback=None):
        prompt = question(spec, sources, feedback)
        reply = await client.messages.create(
            model=patterns.MODEL,
            max_tokens=1_000,
            output_config=form(),
            messages=[{"role": "user", "content": prompt}],
        )
        text = "".join(block.text for block in reply.content if block.type == "text")
        return {**json.loads(text), **spec}

    return review


def doubt(sources):
    """Make the gate: a finding is complete, and its evidence stands in the files."""

    def gate(findings):
        complete, kicked_back = patterns.gate(findings)
        passed = []
        for finding in complete:
            why = patterns.verify_evidence(finding, sources)
            if why is None:
                passed.append(finding)
            else:
                kicked_back.append({**finding, "_kicked": why})
        return passed, kicked_back

    return gate


async def fleet(
    client, sources, specs, *, conduct=patterns.conduct, limit=5, seconds=1.2, on_kick=None
):
    """Conduct the fleet; return its outcome, and the witness who saw what was kicked back."""
    seen = patterns.witness(doubt(sources), on_kick=on_kick)
    worker = seen.watch(patterns.within(reviewer(client, sources), seconds))
    outcome = await conduct(worker, specs, gate=seen, limit=limit)
    return outcome, seen


def asked():
    """Read the command line: the files to review, and who is to review them."""
    parser = argparse.ArgumentParser(description="Review a folder with a fleet of reviewers.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent / "service")
    parser.add_argument("--live", action="store_true", help="ask the API, not the script")
    arguments = parser.parse_args()
    sources = read(arguments.folder)
    if not sources:
        parser.error(f"there is no Python file in {arguments.folder}")
    try:
        client = connect(FLEET_OF_TEN, live=arguments.live)
    except UsageError as error:
        parser.error(str(error))
    return client, sources, 60.0 if arguments.live else 1.2


def main():
    """Show the plan, conduct the fleet, and print what came of it."""
    client, sources, seconds = asked()
    specs = batch(sources)
    print(f"PLAN\n{len(specs)} specs:", ", ".join(spec["topic"] for spec in specs), end="\n\n")
    outcome, seen = asyncio.run(fleet(client, sources, specs, seconds=seconds))
    print(outcome["report"], seen.account(outcome["passed"]), sep="\n\n")


if __name__ == "__main__":
    main()
