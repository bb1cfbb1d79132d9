"""Claude Code and the Claude Agent SDK, which runs it. Seen with 1.0.128, 2.0.76, 2.1.197 and 2.1.330 (2026-11)."""
