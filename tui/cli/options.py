"""Options made from the table of settings, and the settings made from the options of a command and its group."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import click

from tui.config import load_settings
from tui.settings import SETTINGS, Group, Kind, Setting, Settings

type Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def setting_options(*groups: Group, only: Collection[str] | None = None, leave_out: Collection[str] = ()) -> Decorator:
    """Give a command one option for each setting of these groups (or for some of them)."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        chosen = [
            setting
            for setting in SETTINGS
            if setting.group in groups and setting.name not in leave_out and (only is None or setting.name in only)
        ]
        for setting in reversed(chosen):
            function = _option(setting)(function)
        return function

    return decorate


def _option(setting: Setting) -> Decorator:
    if setting.kind is Kind.FLAG:
        shape: dict[str, Any] = {"is_flag": True}
    else:
        shape = {"metavar": setting.metavar, "multiple": setting.kind is Kind.LIST}
    shown = f" [default: {setting.default}]" if setting.default not in (None, (), True, False) else ""
    return click.option(setting.option, setting.name, default=None, help=f"{setting.help}{shown}", **shape)


config_option = click.option(
    "--config", "config_path", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Configuration file to read."
)
"""`--config FILE`, for the group."""


def settings_of(ctx: click.Context, given: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings in force: what this command was given wins over what the group was given.

    Raises:
        ConfigurationError: A value cannot be used.
    """
    root = ctx.find_root()
    own = ctx.params if given is None else given
    options = root.params | {name: value for name, value in own.items() if value not in (None, ())}
    return load_settings(options, config=root.params.get("config_path"))
