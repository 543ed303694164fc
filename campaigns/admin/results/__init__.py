"""What came of a campaign: the tab, the people behind each number, beside others, as a file."""
