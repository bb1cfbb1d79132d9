"""An agent as a program of its own: the `anthropic` SDK, a tool, a stream; told nothing of any proxy but by its environment."""

import sys

import anthropic

_TOOL = {
    "name": "lookup",
    "description": "Look a word up.",
    "input_schema": {"type": "object", "properties": {"word": {"type": "string"}}},
}


def main() -> None:
    """Run the loop and print what the model says."""
    messages: list[anthropic.types.MessageParam] = [{"role": "user", "content": sys.stdin.read()}]
    with anthropic.Anthropic() as client:
        while True:
            with client.messages.stream(model="claude-opus-5-5", max_tokens=99, messages=messages, tools=[_TOOL]) as stream:
                for text in stream.text_stream:
                    print(text, end="", flush=True)
                answer = stream.get_final_message()
            print(f"\n[{answer.stop_reason}]")
            calls = [block for block in answer.content if block.type == "tool_use"]
            if not calls:
                return
            content = [block.model_dump(exclude_none=True) for block in answer.content]
            results = [{"type": "tool_result", "tool_use_id": call.id, "content": f"{call.input} is known"} for call in calls]
            messages += [{"role": "assistant", "content": content}, {"role": "user", "content": results}]


if __name__ == "__main__":
    main()
