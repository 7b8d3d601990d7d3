"""Use cases: the only place with policy. They speak ports and know no dialect."""
