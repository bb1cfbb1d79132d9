"""The way in: which reader cuts a recognised piece."""

from collections.abc import Callable

from proxy_core.attribution.cuts import Span
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.readers import files, listings, wrappers
from proxy_core.attribution.readers.piece import Piece
from proxy_core.attribution.rules.model import PieceRule, Reader


def read_piece(text: str, start: int, end: int, rule: PieceRule, context: ElementContext) -> list[Span]:
    """Cut a piece as its rule says; the spans cover it without a gap."""
    return _READERS[rule.reader](Piece(text, start, end, rule, context))


_READERS: dict[Reader, Callable[[Piece], list[Span]]] = {
    Reader.PLAIN: wrappers.read_plain,
    Reader.MEMORY_FILES: files.read_memory_files,
    Reader.NESTED_MEMORY: files.read_nested_memory,
    Reader.MCP_INSTRUCTIONS: listings.read_mcp_instructions,
    Reader.LISTING: listings.read_listing,
    Reader.LOOSE_LISTING: listings.read_listing,
    Reader.NAMES: listings.read_names,
    Reader.SERVER_NAMES: listings.read_server_names,
    Reader.HOOK: wrappers.read_hook,
    Reader.TAGGED_HOOK: wrappers.read_tagged_hook,
    Reader.OUTPUT_STYLE: wrappers.read_named,
    Reader.ACTIVE_STYLE: wrappers.read_named,
    Reader.FILE_CALL: files.read_file_call,
    Reader.FILE_RESULT: files.read_file_result,
    Reader.RESOURCE: files.read_resource,
    Reader.TASK_NOTICE: wrappers.read_task_notice,
    Reader.COMMAND: wrappers.read_command,
    Reader.LOCAL_COMMAND: wrappers.read_local_command,
    Reader.LOCAL_OUTPUT: wrappers.read_local_output,
    Reader.SKILL_BODY: wrappers.read_skill_body,
    Reader.GIT_STATUS: wrappers.read_git_status,
    Reader.USER_AFTER: wrappers.read_user_after,
    Reader.BETWEEN: wrappers.read_between,
    Reader.XML_SKILLS: listings.read_xml_entries,
    Reader.XML_SERVERS: listings.read_xml_entries,
    Reader.XML_FILES: listings.read_xml_entries,
    Reader.TAGGED_FILES: files.read_tagged_files,
    Reader.TAGGED_SKILL: wrappers.read_tagged_skill,
    Reader.RULE_SECTIONS: listings.read_rule_sections,
    Reader.TOOL_LINES: listings.read_tool_lines,
    Reader.REFERENCED_FILES: files.read_referenced_files,
    Reader.PATH_HEADING: files.read_path_heading,
    Reader.ADDED_FILES: files.read_added_files,
}
