"""The window: rail, top bar, palette, status strip, home, outbox, settings, unlock, wizard."""
