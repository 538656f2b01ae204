"""The agency's desk: opens the answers that offices sealed to the agency, and decides about them."""
