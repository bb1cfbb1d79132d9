"""What is shown where the requests will be, while there are none: the exact lines to paste. Pure text from what is given."""

from pathlib import Path

from textual.content import Content
from textual.widgets import Static

from tui.invocation import own_command


class FirstStart(Static):
    """How to get the first request in here."""

    can_focus = False

    def explain(self, proxy_url: str | None, ca_bundle: Path | None) -> None:
        """Say how to send traffic here; without a proxy, how to start one."""
        self.update(first_steps(proxy_url, ca_bundle))

    def explain_empty(self, filter_text: str) -> None:
        """Say that the filter lets nothing pass."""
        self.update(no_match(filter_text))


def first_steps(proxy_url: str | None, ca_bundle: Path | None) -> Content:
    """Write what to do when nothing was captured yet."""
    assay = own_command()
    if proxy_url is None:
        return Content.assemble(
            ("This database holds no requests yet.\n\n", "bold"),
            "Start the proxy with the dashboard:\n\n",
            (f"    {assay}\n\n", "$accent"),
            "or a client through a proxy of its own:\n\n",
            (f"    {assay} run -- claude\n", "$accent"),
        )
    lines = [f"    export HTTPS_PROXY={proxy_url}\n"]
    if ca_bundle is not None:
        lines.append(f"    export NODE_EXTRA_CA_CERTS={ca_bundle}\n")
    return Content.assemble(
        ("No requests yet. ", "bold"),
        f"Assay listens on {proxy_url}.\n\n",
        "Start Claude Code through it, in another terminal:\n\n",
        (f"    {assay} run -- claude\n\n", "$accent"),
        "or let everything in that terminal use it:\n\n",
        (f'    eval "$({assay} env)"\n\n', "$accent"),
        "which sets, among others:\n\n",
        ("".join(lines) + "\n", "$secondary"),
        "Nothing arrives?   ",
        (f"{assay} doctor", "$accent"),
        "\nJust looking?      ",
        (f"{assay} demo", "$accent"),
    )


def no_match(filter_text: str) -> Content:
    """Write what to do when the filter lets nothing pass."""
    return Content.assemble(
        ("No request matches\n\n", "bold"),
        (f"    {filter_text}\n\n", "$accent"),
        ("0", "$accent"),
        " shows all again,  ",
        ("/", "$accent"),
        " changes the filter.",
    )
