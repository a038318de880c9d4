"""1.3: have the model choose under a schema, and doubt what comes back."""

import ast
import enum
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

ID = "1.3"


def _schema(routes, key="route", **more):
    return {
        "type": "object",
        "properties": {key: {"type": "string", "enum": list(routes)}},
        "required": [key],
        "additionalProperties": False,
        **more,
    }


async def _create(client, request, schema):
    return await client.messages.create(
        model="m",
        max_tokens=50,
        messages=[{"role": "user", "content": request}],
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )


def _text(reply):
    return "".join(block.text for block in reply.content if block.type == "text")


async def raw_dicts(client, request, routes):
    reply = await _create(client, f"Classify: {request}", _schema(routes, "lane"))
    if reply.stop_reason != "end_turn":
        return None
    try:
        data = json.loads(_text(reply))
    except json.JSONDecodeError:
        return None
    if isinstance(data, dict) and set(data) == {"lane"} and data["lane"] in routes:
        return data["lane"]
    return None


async def open_schema(client, request, routes):
    schema = _schema(routes, "choice")
    del schema["additionalProperties"], schema["properties"]["choice"]["type"]
    reply = await _create(client, request, schema)
    try:
        found = json.loads(_text(reply))["choice"]
        return routes[routes.index(found)] if reply.stop_reason == "end_turn" else None
    except (ValueError, KeyError, TypeError):
        return None


async def parse_with_a_literal(client, request, routes):
    model = create_model(
        "Choice", __config__=ConfigDict(extra="forbid"), route=(Literal[tuple(routes)], ...)
    )
    try:
        reply = await client.messages.parse(
            model="m",
            max_tokens=50,
            messages=[{"role": "user", "content": request}],
            output_format=model,
        )
    except ValidationError:
        return None
    choice = reply.parsed_output
    return choice.route if reply.stop_reason == "end_turn" and choice else None


async def parse_with_an_enum(client, request, routes):
    names = enum.Enum("Route", [(f"r{n}", route) for n, route in enumerate(routes)])

    class Choice(BaseModel):
        model_config = {"extra": "forbid"}
        where: names

    try:
        reply = await client.messages.parse(
            model="m",
            max_tokens=50,
            system="Choose.",
            messages=[{"role": "user", "content": [{"type": "text", "text": request}]}],
            output_format=Choice,
        )
        if reply.stop_reason != "end_turn" or reply.parsed_output is None:
            return None
        return reply.parsed_output.where.value
    except ValidationError:
        return None


async def validated_by_pydantic(client, request, routes):
    model = create_model(
        "Choice", __config__=ConfigDict(extra="forbid"), route=(Literal[tuple(routes)], ...)
    )
    schema = _schema(routes)
    reply = await _create(client, request, schema)
    if reply.stop_reason == "end_turn":
        try:
            return model.model_validate_json(_text(reply)).route
        except ValidationError:
            pass
    return None


async def streamed(client, request, routes):
    async with client.messages.stream(
        model="m",
        max_tokens=50,
        messages=[{"role": "user", "content": f"{routes}\n{request}"}],
        output_config={"format": {"type": "json_schema", "schema": _schema(routes, "to")}},
    ) as stream:
        text = "".join([part async for part in stream.text_stream])
        stop = (await stream.get_final_message()).stop_reason
    try:
        match json.loads(text):
            case {"to": str(name), **rest} if stop == "end_turn" and not rest and name in routes:
                return name
    except json.JSONDecodeError:
        pass


RIGHT = [
    raw_dicts,
    open_schema,
    parse_with_a_literal,
    parse_with_an_enum,
    validated_by_pydantic,
    streamed,
]


async def _read(client, request, routes, schema):
    reply = await _create(client, request, schema)
    if reply.stop_reason != "end_turn":
        return None
    try:
        data = json.loads(_text(reply))
    except ValueError:
        return None
    if not isinstance(data, dict) or data.keys() != {"route"}:
        return None
    return data["route"] if data["route"] in routes else None


async def no_schema(client, request, routes):
    reply = await client.messages.create(
        model="m", max_tokens=9, messages=[{"role": "user", "content": f"{request} {routes}"}]
    )
    return json.loads(_text(reply)).get("?")


async def schema_in_the_prompt(client, request, routes):
    prompt = f"{request}\nReply in JSON: {json.dumps(_schema(routes))}"
    reply = await client.messages.create(
        model="m", max_tokens=9, messages=[{"role": "user", "content": prompt}]
    )
    return next(iter(json.loads(_text(reply)).values()))


async def fallback_in_the_enum(client, request, routes):
    return await _read(client, request, routes, _schema([*routes, "other"]))


async def sorted_enum(client, request, routes):
    return await _read(client, request, routes, _schema(sorted(routes)))


async def not_required(client, request, routes):
    return await _read(client, request, routes, _schema(routes, required=[]))


async def two_properties(client, request, routes):
    schema = _schema(routes)
    schema["properties"]["why"] = {"type": "string"}
    reply = await _create(client, request, schema)
    return json.loads(_text(reply)).get("route")


async def no_request(client, request, routes):
    return await _read(client, "Which route?", routes, _schema(routes))


async def first_block(client, request, routes):
    reply = await _create(client, request, _schema(routes))
    return json.loads(reply.content[0].text)["route"]


async def never_looks_at_the_stop(client, request, routes):
    reply = await _create(client, request, _schema(routes))
    try:
        data = json.loads(_text(reply))
    except ValueError:
        return None
    if isinstance(data, dict) and data.keys() == {"route"} and data["route"] in routes:
        return data["route"]
    return None


async def only_max_tokens(client, request, routes):
    reply = await _create(client, request, _schema(routes))
    if reply.stop_reason == "max_tokens":
        return None
    return json.loads(_text(reply))["route"]


async def trusts_the_json(client, request, routes):
    reply = await _create(client, request, _schema(routes))
    return json.loads(_text(reply))["route"] if reply.stop_reason == "end_turn" else None


async def trusts_the_value(client, request, routes):
    reply = await _create(client, request, _schema(routes))
    if reply.stop_reason != "end_turn":
        return None
    try:
        return json.loads(_text(reply)).get("route")
    except ValueError:
        return None


async def trusts_the_shape(client, request, routes):
    reply = await _create(client, request, _schema(routes))
    if reply.stop_reason != "end_turn":
        return None
    try:
        value = json.loads(_text(reply))["route"]
    except (ValueError, KeyError):
        return None
    return value if value in routes else None


async def unwraps_the_fence(client, request, routes):
    reply = await _create(client, request, _schema(routes))
    if reply.stop_reason != "end_turn":
        return None
    try:
        data = json.loads(_text(reply).strip().removeprefix("```json").removesuffix("```"))
        return data["route"] if len(data) == 1 and data["route"] in routes else None
    except (ValueError, KeyError, TypeError):
        return None


async def any_value(client, request, routes):
    reply = await _create(client, request, _schema(routes))
    if reply.stop_reason != "end_turn":
        return None
    try:
        [value] = json.loads(_text(reply)).values()
    except (ValueError, AttributeError):
        return None
    return value if value in routes else None


async def unread_extras(client, request, routes):
    reply = await _create(client, request, _schema(routes))
    if reply.stop_reason != "end_turn":
        return None
    try:
        value = json.loads(_text(reply))["route"]
    except (ValueError, KeyError, TypeError):
        return None
    return value if value in routes else None


async def pydantic_ignores_extras(client, request, routes):
    model = create_model("Choice", route=(Literal[tuple(routes)], ...))
    try:
        reply = await client.messages.parse(
            model="m",
            max_tokens=50,
            messages=[{"role": "user", "content": request}],
            output_format=model,
        )
    except ValidationError:
        return None
    choice = reply.parsed_output
    return choice.route if reply.stop_reason == "end_turn" and choice else None


async def stricter_than_its_schema(client, request, routes):
    schema = _schema(routes)
    del schema["additionalProperties"]
    return await _read(client, request, routes, schema)


async def tries_again(client, request, routes):
    return await _read(client, request, routes, _schema(routes)) or await _read(
        client, request, routes, _schema(routes)
    )


async def _loosely(client, request, routes, *, read=json.loads, text=_text, choose=None):
    reply = await _create(client, request, _schema(routes))
    if reply.stop_reason != "end_turn":
        return None
    try:
        data = read(text(reply))
    except (ValueError, SyntaxError, IndexError):
        return None
    if not isinstance(data, dict) or data.keys() != {"route"}:
        return None
    if not isinstance(data["route"], str):
        return None
    return (choose or (lambda said: said if said in routes else None))(data["route"])


async def reads_the_first_value(client, request, routes):
    def read(text):
        return json.JSONDecoder().raw_decode(text.strip())[0]

    return await _loosely(client, request, routes, read=read)


async def cuts_it_out(client, request, routes):
    def read(text):
        return json.loads(text[text.index("{") : text.rindex("}") + 1])

    return await _loosely(client, request, routes, read=read)


async def python_will_do(client, request, routes):
    return await _loosely(client, request, routes, read=lambda text: ast.literal_eval(text.strip()))


async def first_block_of_text(client, request, routes):
    def text(reply):
        return next((block.text for block in reply.content if block.type == "text"), "")

    return await _loosely(client, request, routes, text=text)


async def last_block_of_text(client, request, routes):
    def text(reply):
        return [block.text for block in reply.content if block.type == "text"][-1]

    return await _loosely(client, request, routes, text=text)


async def blocks_on_lines(client, request, routes):
    def text(reply):
        return "\n".join(block.text for block in reply.content if block.type == "text")

    return await _loosely(client, request, routes, text=text)


async def named_in_the_value(client, request, routes):
    return await _loosely(
        client, request, routes, choose=lambda said: next((r for r in routes if r in said), None)
    )


async def begun_in_the_value(client, request, routes):
    return await _loosely(
        client,
        request,
        routes,
        choose=lambda said: next((r for r in routes if said and r.startswith(said)), None),
    )


async def stripped_value(client, request, routes):
    return await _loosely(
        client,
        request,
        routes,
        choose=lambda said: said.strip() if said.strip() in routes else None,
    )


async def caseless_value(client, request, routes):
    return await _loosely(
        client,
        request,
        routes,
        choose=lambda said: said.casefold() if said.casefold() in routes else None,
    )


async def knows_three_stops(client, request, routes):
    reply = await _create(client, request, _schema(routes))
    if reply.stop_reason in ("max_tokens", "refusal", "model_context_window_exceeded"):
        return None
    try:
        data = json.loads(_text(reply))
    except ValueError:
        return None
    good = isinstance(data, dict) and data.keys() == {"route"} and data["route"] in routes
    return data["route"] if good else None


async def asks_nobody_where_one_will_do(client, request, routes):
    if len(routes) == 1:
        return routes[0]
    return await _loosely(client, request, routes)


async def lower_cases_the_request(client, request, routes):
    return await _loosely(client, request.lower(), routes)


WRONG = [
    (reads_the_first_value, "Words around the JSON"),
    (cuts_it_out, "Words around the JSON"),
    (python_will_do, "not valid JSON"),
    (first_block_of_text, "two of them make one JSON"),
    (last_block_of_text, "two of them make one JSON"),
    (blocks_on_lines, "two of them make one JSON"),
    (named_in_the_value, "not in the schema's `enum`"),
    (begun_in_the_value, "not in the schema's `enum`"),
    (stripped_value, "not in the schema's `enum`"),
    (caseless_value, "not in the schema's `enum`"),
    (knows_three_stops, "Look at `stop_reason` first"),
    (asks_nobody_where_one_will_do, "exactly one call"),
    (lower_cases_the_request, "The prompt holds the request"),
    (no_schema, "carries a schema"),
    (schema_in_the_prompt, "carries a schema"),
    (fallback_in_the_enum, "`enum` is `routes`"),
    (sorted_enum, "`enum` is `routes`"),
    (not_required, "The property is required"),
    (two_properties, "one property, and no others"),
    (no_request, "The prompt holds the request"),
    (first_block, "A block without text stood"),
    (never_looks_at_the_stop, "Look at `stop_reason` first"),
    (only_max_tokens, "Look at `stop_reason` first"),
    (trusts_the_json, "not valid JSON"),
    (trusts_the_value, "not in the schema's `enum`"),
    (trusts_the_shape, "no object"),
    (unwraps_the_fence, "not valid JSON"),
    (any_value, "another one does not stand for it"),
    (unread_extras, "which the schema forbids"),
    (pydantic_ignores_extras, "extra='forbid'"),
    (stricter_than_its_schema, "which the schema allows"),
    (tries_again, "exactly one call"),
]
