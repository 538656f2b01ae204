"""Messages: mass messages drafted, checked row by row, approved by a second officer and handed over. Others call its commands."""
