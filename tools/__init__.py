"""What the project needs to be built and checked; no part of the program that runs."""
