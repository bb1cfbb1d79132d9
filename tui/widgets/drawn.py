"""A widget whose lines are drawn once and handed out as often as the screen is painted.

Textual keeps lines by their place: when they move, or the screen comes back, it styles, cuts and encodes each anew. Must not
know what is drawn.
"""

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Drawn(Widget):
    """Lines that are drawn with their own ground, and nothing around them."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Hand out the lines; those of a widget with a border are left to Textual."""
        if self.styles.gutter or crop.x:
            return super().render_lines(crop)
        strips, ground = self.drawn_lines(crop.line_range), self.background_colors[1]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, ground) for strip in strips]
        return strips

    def drawn_lines(self, places: range) -> list[Strip]:
        """Return these lines, the same objects for what looks the same."""
        return [self.render_line(y) for y in places]
