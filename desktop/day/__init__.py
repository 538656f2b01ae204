"""One working day at a district hall, played with the real program: for a demonstration, for the manual's pictures, for a self-test.

Nothing here is a mock: a real hub process on loopback, a real profile, the commands that a click runs, the pages themselves.
"""
