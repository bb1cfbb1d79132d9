"""What the detail tabs say, as pure functions from views to lines: no widget, no store, no clock."""
