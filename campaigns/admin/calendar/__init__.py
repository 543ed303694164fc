"""The calendar of campaigns: a month or a week, moved by dragging or by its form."""
