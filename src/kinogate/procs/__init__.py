"""Child processes: the border behind which strangers' bytes are decoded and engines work.

`host` is the parent's side, `child` the other one, `protocol` what they say to each other.
"""
