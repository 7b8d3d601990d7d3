"""Open Wan weights on devices of our own, through the library diffusers, in child processes."""
