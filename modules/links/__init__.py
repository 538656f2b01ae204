"""Links: short addresses and QR codes that an office makes offline and that never collide. Others call its commands only."""
